/** A crowd of devices on the wire that talk in several conversations while the server has faults. */
import { setTimeout as pause } from 'node:timers/promises'
import { signUpOnWire, type WireDevice, type WireSocket } from '../wire-device.ts'
import { additionOnWire, openOnWire } from '../wire-group.ts'
import { CrowdMember, type CrowdHears } from './crowd-member.ts'
import { hashOf } from './crowd-bytes.ts'
import { Lane } from './lane.ts'
import type { Recorder } from './recorder.ts'

export interface CrowdOptions {
  readonly recorder: Recorder
  /** Where the server is; asked at each attempt to connect. */
  readonly address: () => string
  /** How many devices, each of an account of its own. */
  readonly devices?: number
  /** Who is in which conversation, by number; the first founds it and makes its commits. */
  readonly conversations?: readonly (readonly number[])[]
  /** Messages that a device offers at once in a conversation. */
  readonly pipeline?: number
}

/** One hot conversation with everybody in it, and some of few. */
const USUAL: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4, 5],
  [1, 0],
  [2, 3],
  [3, 4],
  [4, 5],
  [5, 1],
]

/** What takes longer to settle never will, milliseconds. */
const GIVES_UP = 60_000

/** How often a founder's socket is tried. */
const OPENINGS = 5

export class Crowd {
  readonly members: readonly CrowdMember[]
  /** Messages and commits that were accepted. */
  accepted = 0
  /** Refusals by name; those that pass are tried again. */
  readonly refusals = new Map<string, number>()
  /** How sockets ended, by close code; `given up` by the device itself. */
  readonly closes = new Map<number | 'given up', number>()
  /** Milliseconds from offer to acceptance, and from offer to another device, since `measure`. */
  acceptTimes: number[] = []
  deliveryTimes: number[] = []
  readonly #recorder: Recorder
  readonly #offeredAt = new Map<string, number>()
  readonly #waiting = new Set<() => void>()
  readonly #invited = new Set<CrowdMember>()
  /** When the last was accepted, by the recorder's clock. */
  lastAccept = 0

  private constructor(recorder: Recorder, devices: readonly WireDevice[], address: () => string) {
    this.#recorder = recorder
    const hears: CrowdHears = {
      recorder,
      address,
      accepted: (took) => this.#hearAccepted(took),
      delivered: (message) => this.#hearDelivered(message),
      offered: (message) => void this.#offeredAt.set(message, recorder.now()),
      refused: (failure) => void this.refusals.set(failure, (this.refusals.get(failure) ?? 0) + 1),
      lost: (code) => void this.closes.set(code, (this.closes.get(code) ?? 0) + 1),
    }
    this.members = devices.map((device) => new CrowdMember(device, hears))
  }

  /** Signs up, opens the conversations, and connects. Nobody speaks yet. */
  static async open({ recorder, address, devices = 6, conversations = USUAL, pipeline = 24 }: CrowdOptions): Promise<Crowd> {
    const signedUp: WireDevice[] = []
    for (let at = 0; at < devices; at++) signedUp.push(await signUpOnWire({ url: address(), handle: `crowd${at}` }))
    const crowd = new Crowd(recorder, signedUp, address)
    for (const numbers of conversations) {
      const members = numbers.flatMap((number) => crowd.members[number] ?? [])
      await crowd.#found(members, pipeline)
    }
    for (const member of crowd.members) member.start()
    return crowd
  }

  async #found([founder, ...others]: readonly CrowdMember[], pipeline: number): Promise<void> {
    if (!founder) return
    const opened = await openOnWire(founder.device)
    const { conversation } = opened
    const { body, next } = await additionOnWire(
      opened,
      others.map(({ device }) => device),
    )
    const { device } = founder.device
    const said = { op: 'commit', device, conv: conversation, client_seq: 1, epoch: 0, hash: hashOf(body.commit) } as const
    this.#recorder.operation({ ...said, phase: 'invoke' })
    const socket = await insist(founder.device)
    const added = await socket.command('conversations.commit', body)
    await socket.close()
    if (!added.ok) throw new Error(`a conversation could not be founded: ${added.failure}`)
    const { seq } = added.result
    this.#recorder.operation({ ...said, phase: 'ok', seq })
    const common = { conversation, hears: founder.hears, pipeline, epoch: 1 }
    founder.join(new Lane({ ...common, device, group: next, clientSeq: 1 }), 0)
    for (const other of others) other.join(new Lane({ ...common, device: other.device.device, clientSeq: 0 }), seq)
  }

  /** Everybody has something to say from now on. */
  talk(): void {
    for (const lane of this.#lanes()) lane.write(Number.MAX_SAFE_INTEGER)
  }

  /** Nobody begins anything new. */
  hush(): void {
    for (const lane of this.#lanes()) lane.hush()
  }

  /** So many messages in each lane. */
  write(count: number): void {
    for (const lane of this.#lanes()) lane.write(count)
  }

  /** Somebody commits. */
  commit(): void {
    const founders = this.#lanes().filter((lane) => lane.canCommit)
    founders[Math.floor(Math.random() * founders.length)]?.commit()
  }

  /** Resolves when so many are accepted altogether. */
  async acceptedReaches(count: number): Promise<void> {
    while (this.accepted < count) await new Promise<void>((resolve) => this.#waiting.add(resolve))
  }

  /** Milliseconds from `since` (of the recorder's clock) to the next acceptance. */
  async nextAccept(since: number): Promise<number> {
    while (this.lastAccept < since) await new Promise<void>((resolve) => this.#waiting.add(resolve))
    return this.lastAccept - since
  }

  /** Somebody who is in no conversation is added to the first one by a commit. */
  addGuest(): void {
    const guest = this.members.find((member) => member.lanes.size === 0 && !this.#invited.has(member))
    const founder = this.#lanes().find((lane) => lane.canCommit)
    if (!guest || !founder) return
    this.#invited.add(guest)
    founder.commit({
      device: guest.device,
      joined: (seq, epoch) => {
        const { conversation } = founder
        guest.join(new Lane({ conversation, device: guest.device.device, hears: guest.hears, pipeline: 1, epoch, clientSeq: 0 }), seq)
        // What it was sent before it knew is sent again.
        void guest.reconnect()
      },
    })
  }

  /** Times from now on. */
  measure(): void {
    this.acceptTimes = []
    this.deliveryTimes = []
  }

  /** Everything is said, and everybody has it and has said so; returns how long that took, milliseconds. */
  async settle(): Promise<number> {
    const began = this.#recorder.now()
    this.hush()
    while (!this.#isSettled()) {
      await pause(10)
      if (this.#recorder.now() - began > GIVES_UP) throw new Error(`not everybody came to the end: ${this.#whoWaits()}`)
    }
    return this.#recorder.now() - began
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.stop()))
  }

  /** What a device still has to say in a conversation. */
  outboxOf(device: string, conversation: string): number {
    const member = this.members.find((one) => one.device.device === device)
    return [...(member?.lanes.values() ?? [])].find((lane) => lane.conversation === conversation)?.outbox ?? 0
  }

  /** How often a socket ended that its device had not given up. */
  get ends(): number {
    return [...this.closes].reduce((sum, [code, count]) => sum + (code === 'given up' ? 0 : count), 0)
  }

  /** Refusals that no device gets over by itself. */
  get errors(): number {
    return ['not_found', 'unsupported', 'malformed', 'not_allowed', 'invalid_handshake'].reduce(
      (sum, name) => sum + (this.refusals.get(name) ?? 0),
      0,
    )
  }

  #whoWaits(): string {
    const lanes = this.members.flatMap((member) => {
      const state = `${member.device.handle}${member.hasAcknowledged ? '' : ' (unacknowledged)'}`
      return [...member.lanes.values()].map((lane) => `${state} ${lane.outbox} to say, at ${lane.cursor} of ${this.#headOf(lane)}`)
    })
    return `${lanes.join('; ')}; refusals ${JSON.stringify([...this.refusals])}, closes ${JSON.stringify([...this.closes])}`
  }

  #headOf({ conversation }: Lane): number {
    return Math.max(...this.#lanes().flatMap((lane) => (lane.conversation === conversation ? lane.head : [])))
  }

  #isSettled(): boolean {
    const saidAll = this.members.every((member) => member.outbox === 0 && member.hasAcknowledged)
    return saidAll && this.#lanes().every((lane) => lane.cursor === this.#headOf(lane))
  }

  #lanes(): Lane[] {
    return this.members.flatMap((member) => [...member.lanes.values()])
  }

  #hearAccepted(took: number): void {
    this.accepted += 1
    this.lastAccept = this.#recorder.now()
    this.acceptTimes.push(took)
    for (const look of this.#waiting) look()
    this.#waiting.clear()
  }

  #hearDelivered(message: string): void {
    const offered = this.#offeredAt.get(message)
    if (offered === undefined) return
    this.deliveryTimes.push(this.#recorder.now() - offered)
  }
}

/** Founding is not what a row is about: on a busy machine a first socket may take longer than a device waits. */
async function insist(device: WireDevice): Promise<WireSocket> {
  for (let tries = 1; ; tries++) {
    try {
      return await device.socket()
    } catch (error) {
      if (tries === OPENINGS) throw error
    }
  }
}
