/** What people do in a simulated world: they found groups, write, read, add and remove each other, and leave. */
import { MessengerError, type ConversationId, type ConversationSummary } from '@tacit/sdk'
import type { Dice } from './dice.ts'
import type { SimDevice } from './sim-device.ts'
import type { Person, SimWorld } from './sim-world.ts'

/** A message that its writer believes to be in safe hands. */
export interface Written {
  readonly device: SimDevice
  readonly conversation: ConversationId
  readonly message: string
  readonly text: string
}

/** In every text: where the server keeps it, it would be found. */
export const CANARY = 'Fridolin'

/** How often each is done, relative to the others. */
const DEEDS = {
  write: 70,
  read: 8,
  type: 2,
  rename: 3,
  add: 5,
  remove: 3,
  leave: 1,
  found: 3,
  meet: 2,
} as const
type Deed = keyof typeof DEEDS

export class Workload {
  written: readonly Written[] = []
  /** Verbs that were refused or failed, by why. */
  readonly refused = new Map<string, number>()
  readonly #world: SimWorld
  readonly #dice: Dice
  #texts = 0

  constructor(world: SimWorld) {
    this.#world = world
    this.#dice = world.dice.named('people')
  }

  /** Somebody begins: a conversation is founded with everybody, so that there is something to do. */
  begin(): void {
    const [first, ...others] = this.#world.people
    const device = first?.devices[0]
    if (!first || !device) return
    this.#do(device, 'found', (messenger) => messenger.createGroup({ title: 'everybody', handles: others.map(({ handle }) => handle) }))
  }

  /** What a device wrote is lost with it, unless it is in the log. */
  forget(device: SimDevice): void {
    this.written = this.written.filter((one) => one.device !== device)
  }

  /** In the end everybody takes up what they were asked into, so that everything is said. */
  answer(): void {
    for (const { devices } of this.#world.people)
      for (const device of devices) {
        const asked = device.isRunning
          ? device.messenger
              .watch('conversations')
              .get()
              ?.filter(({ request }) => request)
          : undefined
        for (const { conversation } of asked ?? []) this.#do(device, 'accept', (messenger) => messenger.acceptRequest({ conversation }))
      }
  }

  /** One deed of one device, drawn. What nobody can do now is not done. */
  step(): void {
    const dice = this.#dice
    const person = dice.pick(this.#world.people)
    const device = person && dice.pick(person.devices)
    const deed = this.#draw()
    if (!device || !device.isRunning) return
    const places = device.messenger.watch('conversations').get()
    const place = dice.pick(places?.filter(({ standing }) => standing === 'active') ?? [])
    if (deed === 'found' || deed === 'meet') this.#meet(deed, person, device)
    else if (place) this.#act(deed, { device, place })
  }

  #draw(): Deed {
    const deeds = Object.entries(DEEDS)
    let left = this.#dice.below(deeds.reduce((sum, [, weight]) => sum + weight, 0))
    for (const [deed, weight] of deeds) {
      if (left < weight) return deed as Deed
      left -= weight
    }
    return 'write'
  }

  #meet(deed: 'found' | 'meet', person: Person, device: SimDevice): void {
    const others = this.#world.people.filter((other) => other !== person).map(({ handle }) => handle)
    const handle = this.#dice.pick(others)
    if (handle === undefined) return
    if (deed === 'meet') return this.#do(device, deed, (messenger) => messenger.startDirect({ handle }))
    const handles = others.filter(() => this.#dice.onceIn(2))
    this.#do(device, deed, (messenger) =>
      messenger.createGroup({ title: `group ${++this.#texts}`, handles: handles.length > 0 ? handles : [handle] }),
    )
  }

  #act(deed: Exclude<Deed, 'found' | 'meet'>, { device, place }: { device: SimDevice; place: ConversationSummary }): void {
    const { conversation, request } = place
    const dice = this.#dice
    // Who is asked looks and writes nothing for a while.
    if (request && deed !== 'read')
      return dice.onceIn(2) ? this.#do(device, 'accept', (messenger) => messenger.acceptRequest(place)) : undefined
    if (deed === 'write') return this.#write(device, conversation)
    if (deed === 'read') return this.#do(device, deed, (messenger) => messenger.markRead({ conversation, seq: dice.between(0, 20) }))
    if (deed === 'type') return this.#do(device, deed, (messenger) => messenger.setTyping({ conversation, typing: dice.onceIn(2) }))
    if (place.kind === 'direct') return
    if (deed === 'rename') return this.#do(device, deed, (messenger) => messenger.rename({ conversation, title: `title ${++this.#texts}` }))
    if (deed === 'leave') return this.#do(device, deed, (messenger) => messenger.leave({ conversation }))
    const other = dice.pick(this.#world.people.filter(({ devices }) => !devices.includes(device)))
    const account = other?.devices[0]?.account
    if (!other || account === undefined) return
    if (deed === 'add') return this.#do(device, deed, (messenger) => messenger.addPeople({ conversation, handles: [other.handle] }))
    const members = device.messenger.watch('details', conversation).get()?.members ?? []
    const member = members.find((one) => one.account === account)
    if (member) this.#do(device, deed, (messenger) => messenger.removePerson({ conversation, account: member.account }))
  }

  #write(device: SimDevice, conversation: ConversationId): void {
    const text = `${device.name} ${String(++this.#texts).padStart(6, '0')} ${CANARY}`
    this.#do(device, 'write', async (messenger) => {
      const message = await messenger.send({ conversation, text })
      this.written = [...this.written, { device, conversation, message, text }]
    })
  }

  /** Nobody waits: what a device is asked to do now may take until the network is back. */
  #do(device: SimDevice, deed: Deed | 'accept', work: Parameters<SimDevice['act']>[0]): void {
    const { trace, findings } = this.#world
    trace(`${device.name} ${deed}`)
    device.act(work).catch((error: unknown) => {
      if (!(error instanceof MessengerError))
        return void findings.push({ id: 'fault', says: `${deed} of ${device.name}: ${String(error)}` })
      const why = `${deed} ${error.failure}`
      trace(`${device.name} ${why}`)
      this.refused.set(why, (this.refused.get(why) ?? 0) + 1)
    })
  }
}
