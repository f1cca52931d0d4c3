import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toBase64Url, type MessageId } from '@tacit/contract'
import type { ConversationId, Messenger, TimelineItem } from '@tacit/sdk'
import { openDevice, openEngine, openMemoryStore, openNodeStore } from '@tacit/sdk/node'
import { MortalStore, noticesOf, openWorld, PASSWORD, textsOf, until, Weather, type Death, type World, type WorldDevice } from './index.ts'

let world: World
let folder: string
beforeAll(async () => {
  world = await openWorld()
  folder = await mkdtemp(join(tmpdir(), 'tacit-crash-'))
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** A device whose process can be made to die. */
class Mortal {
  readonly #path: string
  #weather = new Weather()
  #store: MortalStore | undefined
  #died = Promise.resolve()
  messenger: Messenger | undefined

  constructor(name: string) {
    this.#path = join(folder, `${name}.db`)
  }

  /** Begins a process; `death` is when it ends, `deadly` which bytes end it when they are opened. */
  async live(death?: Death, deadly: (bytes: Uint8Array) => boolean = () => false): Promise<Messenger> {
    const inner = await openNodeStore({ path: this.#path })
    this.#died = new Promise((resolve) => {
      this.#store = new MortalStore(inner, resolve)
    })
    this.#weather = new Weather()
    if (!this.#store) throw new Error('no store')
    const store = this.#store
    const engine = await openEngine()
    const open: typeof engine.open = (group, bytes, hooks) => (deadly(bytes) ? store.die() : engine.open(group, bytes, hooks))
    this.messenger = await openDevice({ server: world.url, store, network: this.#weather, engine: { ...engine, open } })
    if (death) this.#store.dieAt(death)
    return this.messenger
  }

  /** The process is dead, or is ended now: nothing of it goes out or comes in any more. */
  async bury(): Promise<void> {
    this.#weather.cut()
    await this.#store?.close()
  }

  get died(): Promise<void> {
    return this.#died
  }
}

test('a process that dies at any write loses, doubles and reorders nothing, sending or receiving', async () => {
  const bob: WorldDevice = await world.signedUp('Bob')
  const mortal = new Mortal('alice')
  let alice = await mortal.live()
  await alice.signUp({ handle: 'Alice', password: PASSWORD })
  const conversation = await alice.startDirect({ handle: 'bob' })
  await bob.conversation('Alice')
  await mortal.bury()

  const sent: string[] = []
  let died = 0
  const deaths: Death[] = Array.from({ length: 7 }, (_, at) => [{ before: at + 1 }, { after: at + 1 }]).flat()
  for (const [round, death] of deaths.entries()) {
    alice = await mortal.live(death)
    died += await Promise.race([sendBoth(alice, { bob, conversation, round, sent }).then(() => 0), mortal.died.then(() => 1)])
    await mortal.bury()
    alice = await mortal.live()
    await settle(alice, bob, conversation)
    await mortal.bury()
  }

  // A death that nobody dies proves nothing.
  expect(died).toBeGreaterThan(5)
  alice = await mortal.live()
  const seenByBob = await settle(alice, bob, conversation)
  expect(new Set(seenByBob).size).toBe(seenByBob.length)
  for (const text of sent) expect(seenByBob).toContain(text)
  const fromAlice = seenByBob.filter((text) => text.startsWith('alice')).map((text) => Number(text.split(' ')[1]))
  expect(fromAlice).toEqual(fromAlice.toSorted((left, right) => left - right))
  // Nothing was sealed that nobody remembers, and nothing twice.
  for (const device of [alice, bob]) {
    const timeline = await until(device.watch('timeline', conversation), (now) => now !== undefined)
    expect(noticesOf(timeline?.items ?? [])).not.toContain('tampering')
  }
  await mortal.bury()
}, 120_000)

test('a message that is said again because nobody answered, with the id it had, is there once, wherever the process died', async () => {
  const gina = await world.signedUp('Gina')
  const mortal = new Mortal('henry')
  let henry = await mortal.live()
  await henry.signUp({ handle: 'Henry', password: PASSWORD })
  const conversation = await henry.startDirect({ handle: 'gina' })
  await gina.conversation('Henry')
  await mortal.bury()
  const deaths: Death[] = Array.from({ length: 5 }, (_, at) => [{ before: at + 1 }, { after: at + 1 }]).flat()
  let died = 0
  const said: string[] = []
  for (const [round, death] of deaths.entries()) {
    const text = `said ${round}`
    const asked = { conversation, text, message: toBase64Url(crypto.getRandomValues(new Uint8Array(16))) as MessageId }
    said.push(text)
    henry = await mortal.live(death)
    const accepted = henry.send(asked).then(() => becomesAccepted(henry, asked))
    died += await Promise.race([accepted.then(() => 0), mortal.died.then(() => 1)])
    await mortal.bury()
    henry = await mortal.live()
    // While it waits, while it is under way, and when it is in the log.
    expect(await Promise.all([henry.send(asked), henry.send(asked)])).toEqual([asked.message, asked.message])
    await becomesAccepted(henry, asked)
    expect(await henry.send(asked)).toBe(asked.message)
    await mortal.bury()
  }
  expect(died).toBeGreaterThan(4)
  henry = await mortal.live()
  await henry.send({ conversation, text: 'the end' })
  await gina.sees(conversation, [...said, 'the end'])
  const seen = await until(henry.watch('timeline', conversation), (now) => textsOf(now?.items ?? []).includes('the end'))
  const messages = (seen?.items ?? []).filter(({ kind }) => kind === 'message')
  expect(textsOf(messages)).toEqual([...said, 'the end'])
  // Nor is it twice in the log, where nobody would show the second one.
  const [first = NaN, ...later] = messages.map(({ seq }) => seq)
  expect(later).toEqual(later.map((_, at) => first + 1 + at))
  await mortal.bury()
}, 120_000)

test('a process that dies at any write while it makes a group finishes that group, or never began it', async () => {
  const carol = await world.signedUp('Carol')
  const mortal = new Mortal('dana')
  let dana = await mortal.live()
  await dana.signUp({ handle: 'Dana', password: PASSWORD })
  await until(dana.watch('connection'), ({ kind }) => kind === 'online')
  await mortal.bury()
  const deaths: Death[] = Array.from({ length: 6 }, (_, at) => [{ before: at + 1 }, { after: at + 1 }]).flat()
  let died = 0
  for (const [round, death] of deaths.entries()) {
    dana = await mortal.live(death)
    died += await Promise.race([dana.createGroup({ title: `Group ${round}`, handles: ['carol'] }).then(() => 0), mortal.died.then(() => 1)])
    await mortal.bury()
    dana = await mortal.live()
    const groups = await until(
      dana.watch('conversations'),
      (list) => list?.every((one) => one.people === 2 && one.standing === 'active') ?? false,
    )
    for (const { title, conversation } of groups ?? []) expect(await carol.conversation(title)).toBe(conversation)
    await mortal.bury()
  }
  expect(died).toBeGreaterThan(4)
}, 120_000)

test('an entry that kills the process is passed over, and what comes after it is read', async () => {
  const erin = await world.signedUp('Erin')
  const mortal = new Mortal('frank')
  const frank = await mortal.live()
  await frank.signUp({ handle: 'Frank', password: PASSWORD })
  const conversation = await erin.startDirect({ handle: 'frank' })
  await until(frank.watch('conversations'), (list) => list?.[0]?.standing === 'active')
  await mortal.bury()
  await erin.send({ conversation, text: 'harmless' })
  await erin.send({ conversation, text: 'deadly '.repeat(1000) })
  await erin.send({ conversation, text: 'after it' })
  await erin.messageBecomes(conversation, 'after it', 'accepted')

  const deadly = (bytes: Uint8Array) => bytes.length > 5000
  for (let crash = 0; crash < 2; crash++) {
    await mortal.live(undefined, deadly)
    await mortal.died
    await mortal.bury()
  }
  const survivor = await mortal.live(undefined, deadly)
  const seen = await until(survivor.watch('timeline', conversation), (now) => textsOf(now?.items ?? []).includes('after it'))
  expect(textsOf(seen?.items ?? [])).toEqual(['harmless', 'after it'])
  expect(noticesOf(seen?.items ?? [])).toContain('unreadable unknown')
  await mortal.bury()
}, 60_000)

async function becomesAccepted(device: Messenger, { conversation, message }: { conversation: ConversationId; message: MessageId }) {
  const isAccepted = (item: TimelineItem) => item.kind === 'message' && item.message === message && item.state.kind !== 'sending'
  await until(device.watch('timeline', conversation), (now) => now?.items.some(isAccepted) ?? false)
}

/** Both write; `sent` is what was promised to be safe. */
async function sendBoth(
  alice: Messenger,
  { bob, conversation, round, sent }: { bob: WorldDevice; conversation: ConversationId; round: number; sent: string[] },
): Promise<void> {
  const mine = `alice ${round}`
  const theirs = `bob ${round}`
  await bob.send({ conversation, text: theirs })
  sent.push(theirs)
  await alice.send({ conversation, text: mine })
  sent.push(mine)
  await until(alice.watch('timeline', conversation), (timeline) => {
    const items = timeline?.items ?? []
    return (
      items.some((item) => item.kind === 'message' && item.text === theirs) &&
      items.some((item) => item.kind === 'message' && item.text === mine && item.seq !== undefined)
    )
  })
}

/** Nothing waits on either side, and both show the same. */
async function settle(alice: Messenger, bob: WorldDevice, conversation: ConversationId): Promise<readonly string[]> {
  const [hers, his] = [alice.watch('timeline', conversation), bob.watch('timeline', conversation)]
  for (const timeline of [hers, his]) await until(timeline, (now) => now !== undefined && !now.items.some(isWaiting))
  const sentByHer = textsOf(hers.get()?.items ?? []).filter((text) => text.startsWith('alice'))
  const all = await until(his, (now) => sentByHer.every((text) => textsOf(now?.items ?? []).includes(text)))
  const texts = textsOf(all?.items ?? [])
  await until(hers, (now) => JSON.stringify(textsOf(now?.items ?? [])) === JSON.stringify(texts))
  return texts
}

const isWaiting = (item: TimelineItem): boolean => item.kind === 'message' && item.seq === undefined

test('D-9: the server hears that a device has an entry only when the device has stored it', async () => {
  const [store, weather] = [openMemoryStore(), new Weather()]
  const early: number[] = []
  const looks: Promise<void>[] = []
  const look = async (conversation: ConversationId, seq: number): Promise<void> => {
    const row = await store.get('select cursor from conversation where conversation = ?', [conversation])
    if (Number(row?.['cursor']) < seq) early.push(seq)
  }
  weather.loseAnswersTo((command) => {
    if (command.name === 'delivery.acknowledge')
      for (const { conversation, seq } of command.body.cursors) looks.push(look(conversation, seq))
    return false
  })
  const grace = await openDevice({ server: world.url, store, network: weather })
  await grace.signUp({ handle: 'Grace', password: PASSWORD })
  const heidi = await world.signedUp('Heidi')
  const conversation = await heidi.startDirect({ handle: 'grace' })
  await until(grace.watch('conversations'), (list) => list?.some((one) => one.conversation === conversation) ?? false)
  await grace.acceptRequest({ conversation })
  for (const text of ['one', 'two', 'three']) await heidi.send({ conversation, text })
  const timeline = await heidi.messageBecomes(conversation, 'three', 'delivered')
  await weather.acknowledges(conversation, timeline.items.at(-1)?.seq ?? 0)
  await Promise.all(looks)
  expect({ early, looked: looks.length > 0 }).toEqual({ early: [], looked: true })
  await grace.close()
})
