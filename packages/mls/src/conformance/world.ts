/**
 * A small world to try an engine in: devices with registered certificates, seats in a group that store what they are told to
 * store, and a log that delivers in order. Knows the port and nothing else.
 */
import { expect } from 'vitest'
import { MlsError } from '../errors.ts'
import type { MlsErrorCause } from '../errors.ts'
import type {
  AuthenticateLeaf,
  Bytes,
  CommitRequest,
  Group,
  JudgeCommit,
  KeyPackagePair,
  LeafIdentity,
  MlsEngine,
  Opened,
  Persist,
} from '../port.ts'

/** Seconds since 1970; any moment will do. */
export const NOW = 1_800_000_000n
const DAY = 86_400n

export const utf8 = (text: string): Bytes => new TextEncoder().encode(text)
export const text = (bytes: Bytes): string => new TextDecoder().decode(bytes)
export const hex = (bytes: Bytes): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')

/** The reason of the `MlsError` that `work` must fail with; anything else thrown, or nothing, fails the test. */
export const refusal = async (work: () => Promise<unknown>): Promise<MlsErrorCause> => {
  try {
    await work()
  } catch (error) {
    if (error instanceof MlsError) return error.reason
    throw new Error('an untyped error escaped the engine', { cause: error })
  }
  throw new Error('the engine accepted what it must refuse')
}

interface Options {
  /** Save and restore after every step, so that every story is also a story about storage. */
  readonly reloads?: boolean
}

export class World {
  readonly engine: MlsEngine
  readonly reloads: boolean
  readonly #certified = new Set<string>()
  #groups = 0

  constructor(engine: MlsEngine, { reloads = false }: Options = {}) {
    this.engine = engine
    this.reloads = reloads
  }

  /** A device whose certificate everybody knows. */
  async device(name: string): Promise<LeafIdentity> {
    const identity = await this.stranger(name)
    this.#certified.add(mark(identity.credential, identity.signature.publicKey))
    return identity
  }

  /** A device that nobody vouches for. */
  async stranger(name: string): Promise<LeafIdentity> {
    return { credential: utf8(`certificate of ${name}`), signature: await this.engine.generateSignaturePair() }
  }

  /** Says yes to certified devices only: a world that accepts everyone would prove nothing. */
  readonly authenticate: AuthenticateLeaf = ({ credential, signatureKey }) =>
    Promise.resolve(this.#certified.has(mark(credential, signatureKey)))

  hooks(overrides: { readonly judge?: JudgeCommit; readonly authenticate?: AuthenticateLeaf; readonly now?: bigint } = {}) {
    return { authenticate: this.authenticate, judge: () => Promise.resolve(true), now: NOW, ...overrides }
  }

  publish(identity: LeafIdentity, lifetime: { readonly notBefore?: bigint; readonly notAfter?: bigint } = {}): Promise<KeyPackagePair> {
    return this.engine.createKeyPackage({ identity, notBefore: NOW - DAY, notAfter: NOW + 27n * DAY, lastResort: false, ...lifetime })
  }

  /** A device alone in a new group. */
  async found(name: string, policy = 'policy 0'): Promise<Seat> {
    this.#groups += 1
    const identity = await this.device(name)
    const { group, persist } = await this.engine.createGroup({
      groupId: utf8(`group number ${this.#groups}`),
      identity,
      policy: utf8(policy),
    })
    return await Seat.take(this, { name, identity, group, persist })
  }

  /** A founder and others whom it adds in one commit, all at epoch 1. */
  async assemble(founder: string, ...others: readonly string[]): Promise<[Seat, ...Seat[]]> {
    const first = await this.found(founder)
    const joined = await first.admit([], ...others)
    return [first, ...joined]
  }
}

const mark = (credential: Bytes, signatureKey: Bytes): string => `${text(credential)} ${hex(signatureKey)}`

/** One device's place in a group. `group` is always what storage would give back. */
export class Seat {
  readonly world: World
  readonly name: string
  readonly identity: LeafIdentity
  group: Group
  #snapshot: Bytes
  #slots = new Map<string, Bytes>()

  private constructor(
    world: World,
    at: { readonly name: string; readonly identity: LeafIdentity; readonly group: Group; readonly snapshot: Bytes },
  ) {
    this.world = world
    this.name = at.name
    this.identity = at.identity
    this.group = at.group
    this.#snapshot = at.snapshot
  }

  static async take(
    world: World,
    at: { readonly name: string; readonly identity: LeafIdentity; readonly group: Group; readonly persist: Persist },
  ): Promise<Seat> {
    if (at.persist.kind !== 'snapshot') throw new Error('a seat begins with a snapshot')
    const seat = new Seat(world, { ...at, snapshot: at.persist.bytes })
    await seat.keep(at.group, at.persist)
    return seat
  }

  get leaf(): number {
    return this.group.ownLeafIndex
  }

  /** Stores as the port says: a snapshot replaces all, a delta the rows that it names. */
  async keep(group: Group, persist: Persist): Promise<void> {
    if (persist.kind === 'snapshot') {
      this.#snapshot = persist.bytes
      this.#slots = new Map()
    } else expect(sizeOf(persist)).toBeLessThan(1024)
    for (const { slot, bytes } of persist.slots) {
      if (bytes) this.#slots.set(slot, bytes)
      else this.#slots.delete(slot)
    }
    this.group = this.world.reloads ? await this.restored() : group
  }

  /** Everything that is stored for this seat, row by row. */
  get rows(): readonly Bytes[] {
    return [this.#snapshot, ...this.#slots.values()]
  }

  /** The group as storage alone gives it back; rows in reverse order, since their order must not matter. */
  restored(): Promise<Group> {
    const slots = [...this.#slots].map(([slot, bytes]) => ({ slot, bytes: new Uint8Array(bytes) })).toReversed()
    return this.world.engine.restore({ snapshot: new Uint8Array(this.#snapshot), slots, identity: this.identity })
  }

  async say(words: string): Promise<Bytes> {
    const { group, sealed, persist } = await this.world.engine.seal(this.group, utf8(words))
    await this.keep(group, persist)
    return sealed
  }

  async hear(entry: Bytes, overrides: Parameters<World['hooks']>[0] = {}): Promise<Opened> {
    const opened = await this.world.engine.open(this.group, entry, this.world.hooks(overrides))
    await this.keep(opened.group, opened.persist)
    return opened
  }

  /** Hears an application message and gives its words. */
  async read(entry: Bytes): Promise<string> {
    const opened = await this.hear(entry)
    if (opened.kind !== 'message') throw new Error(`expected a message, got a ${opened.kind}`)
    return text(opened.payload)
  }

  /** Commits, and merges at once as if the server had accepted. `witnesses` process it. */
  async commit(witnesses: readonly Seat[], request: Partial<CommitRequest> = {}) {
    const pending = await this.world.engine.commit(this.group, { authenticate: this.world.authenticate, ...request })
    const merged = this.world.engine.merge(this.group, pending.next)
    await this.keep(merged.group, merged.persist)
    for (const witness of witnesses) await witness.hear(pending.commit)
    return pending
  }

  /** Adds devices by name and seats them. */
  async admit(witnesses: readonly Seat[], ...names: readonly string[]): Promise<Seat[]> {
    const arrivals = await Promise.all(
      names.map(async (name) => {
        const identity = await this.world.device(name)
        return { name, identity, keyPackage: await this.world.publish(identity) }
      }),
    )
    const { welcomes } = await this.commit(witnesses, {
      add: arrivals.map(({ keyPackage }) => keyPackage.keyPackage),
      note: utf8('a note'),
    })
    return await Promise.all(arrivals.map((arrival) => seatByWelcome(this.world, arrival, welcomes)))
  }

  async proposeRemove(witnesses: readonly Seat[], leaf: number): Promise<Bytes> {
    const { group, proposal, persist } = await this.world.engine.proposeRemove(this.group, leaf)
    await this.keep(group, persist)
    for (const witness of witnesses) await witness.hear(proposal)
    return proposal
  }
}

type Welcomes = Awaited<ReturnType<MlsEngine['commit']>>['welcomes']

const seatByWelcome = async (
  world: World,
  arrival: { readonly name: string; readonly identity: LeafIdentity; readonly keyPackage: KeyPackagePair },
  welcomes: Welcomes,
): Promise<Seat> => {
  const { keyPackage, identity } = arrival
  const mine = welcomes.find(({ refs }) => refs.some((ref) => hex(ref) === hex(keyPackage.ref)))
  if (mine === undefined) throw new Error('no welcome for this key package')
  const joined = await world.engine.join({ welcome: mine.bytes, keyPackage, identity, authenticate: world.authenticate, now: NOW })
  return await Seat.take(world, { ...arrival, group: joined.group, persist: joined.persist })
}

/** Bytes that a delta writes, names included. */
export const sizeOf = ({ slots }: Persist): number => slots.reduce((sum, { slot, bytes }) => sum + slot.length + (bytes?.length ?? 0), 0)

/** All seats see the same group. */
export const expectAgreement = (...seats: readonly Seat[]): void => {
  const [first, ...others] = seats.map(({ group }) => view(group))
  for (const other of others) expect(other).toEqual(first)
}

/** Everything of a group that members must agree on. */
export const view = ({ groupId, epoch, members, policy, epochAuthenticator }: Group) => ({
  groupId: hex(groupId),
  epoch,
  policy: text(policy),
  epochAuthenticator: hex(epochAuthenticator),
  members: members.map(({ leafIndex, credential, signatureKey }) => [leafIndex, text(credential), hex(signatureKey)]),
})
