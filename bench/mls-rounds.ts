/**
 * The MLS bench itself: a group of a given size through an engine behind the port, every operation timed by a clock that is
 * handed in, so that the same rounds run under Node (processor time) and in a browser (time on the wall).
 */
import type { Bytes, Group, KeyPackagePair, LeafIdentity, MlsEngine } from '@tacit/mls'
import { measureFloors } from './mls-floor.ts'

/** Milliseconds since some moment. */
export type Clock = () => number

export interface Measured {
  readonly name: string
  /** Milliseconds of one repetition: the median, and the extremes. */
  readonly milliseconds: number
  readonly least: number
  readonly most: number
  /** Milliseconds of the primitives alone, where that was measured. */
  readonly floor?: number
  /** What the operation made, in bytes, where that says something. */
  readonly bytes?: number
}

export interface Rounds {
  readonly engine: string
  readonly members: number
  readonly measured: readonly Measured[]
}

interface Device {
  readonly identity: LeafIdentity
  readonly keyPackage: KeyPackagePair
}

const NOW = 1_800_000_000n
const text = (words: string): Bytes => new TextEncoder().encode(words)
const authenticate = (): Promise<boolean> => Promise.resolve(true)
const hooks = { authenticate, judge: authenticate, now: NOW }

/** Repetitions of what takes long, and messages of a block of which the median is taken. */
export interface Effort {
  readonly repetitions: number
  readonly messages: number
  /** Whether to measure the primitives alone as well; for engines that are made of ours. */
  readonly floors: boolean
}

/** A table in the making. */
class Table {
  readonly rows: Measured[] = []
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Times `work`, which gives what it made; each repetition does the same from the same state. */
  async time<T>(name: string, times: number, work: () => Promise<T>, sizeOf?: (made: T) => number): Promise<T> {
    const taken: number[] = []
    let made: T | undefined
    for (let round = 0; round < times; round++) {
      const before = this.#clock()
      made = await work()
      taken.push(this.#clock() - before)
    }
    if (made === undefined) throw new Error('nothing was measured')
    this.add(name, taken, sizeOf?.(made))
    return made
  }

  add(name: string, taken: readonly number[], bytes?: number): void {
    const spread = { milliseconds: median(taken), least: Math.min(...taken), most: Math.max(...taken) }
    this.rows.push({ name, ...spread, ...(bytes === undefined ? {} : { bytes }) })
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** Runs all operations with a group of `members`. */
export async function runRounds(engine: MlsEngine, name: string, run: { members: number; clock: Clock; effort: Effort }): Promise<Rounds> {
  const { members, clock, effort } = run
  const table = new Table(clock)
  const founder = await newDevice(engine, 'Alice')
  const others: Device[] = []
  for (let made = 1; made < members; made++) others.push(await newDevice(engine, `device ${made}`))
  const [second] = others
  if (!second) throw new Error('a group to measure has two members at least')
  const founded = await engine.createGroup({ groupId: text('bench'), identity: founder.identity, policy: text('policy') })
  const add = others.map(({ keyPackage }) => keyPackage.keyPackage)
  const times = effort.repetitions
  const all = await table.time(
    'add all',
    times,
    () => engine.commit(founded.group, { add, authenticate }),
    ({ commit }) => commit.length,
  )
  const welcome = all.welcomes[0]?.bytes ?? new Uint8Array()
  const join = () => engine.join({ welcome, ...second, authenticate, now: NOW })
  const joined = await table.time('join', times, join, () => welcome.length)
  const update = await table.time(
    'update, cold',
    times,
    () => engine.commit(all.next, { authenticate }),
    ({ commit }) => commit.length,
  )
  await table.time('process it', 8 * times, () => engine.open(joined.group, update.commit, hooks))
  const newcomer = await newDevice(engine, 'newcomer')
  const one = await engine.commit(all.next, { add: [newcomer.keyPackage.keyPackage], authenticate })
  await table.time(
    'process an add',
    times,
    () => engine.open(joined.group, one.commit, hooks),
    () => one.commit.length,
  )
  const { bytes, slots } = engine.snapshot(joined.group)
  const restore = () => engine.restore({ snapshot: bytes, slots, identity: second.identity })
  await table.time('restore', times, restore, () => bytes.length)
  await talk(engine, table, { alice: all.next, bob: joined.group, clock, messages: effort.messages })
  const { suite } = engine
  const lengths = { add: all.commit.length, update: update.commit.length }
  const floors = effort.floors ? await measureFloors({ suite, members, lengths, clock, repetitions: times }) : {}
  return { engine: name, members, measured: table.rows.map((row) => withFloor(row, floors)) }
}

const withFloor = (row: Measured, floors: Readonly<Record<string, number>>): Measured => {
  const floor = floors[row.name]
  return floor === undefined ? row : { ...row, floor }
}

async function newDevice(engine: MlsEngine, name: string): Promise<Device> {
  const identity = { credential: text(`certificate of ${name}`), signature: await engine.generateSignaturePair() }
  return { identity, keyPackage: await engine.createKeyPackage({ identity, notBefore: NOW, notAfter: NOW + 86_400n, lastResort: false }) }
}

const BLOCKS = 5

/** Messages in blocks: one is too short for the clocks of browsers. The first block warms up and is not counted. */
async function talk(
  engine: MlsEngine,
  table: Table,
  { alice, bob, clock, messages }: { alice: Group; bob: Group; clock: Clock; messages: number },
): Promise<void> {
  const payload = new Uint8Array(200)
  const taken = { seal: [] as number[], open: [] as number[] }
  let size = 0
  for (let block = 0; block <= BLOCKS; block++) {
    const sealed: Bytes[] = []
    const begun = clock()
    for (let at = 0; at < messages; at++) {
      const made = await engine.seal(alice, payload)
      alice = made.group
      sealed.push(made.sealed)
    }
    const between = clock()
    for (const message of sealed) bob = (await engine.open(bob, message, hooks)).group
    if (block === 0) continue
    taken.seal.push((between - begun) / messages)
    taken.open.push((clock() - between) / messages)
    size = sealed[0]?.length ?? 0
  }
  table.add('seal 200 B', taken.seal, size)
  table.add('open 200 B', taken.open, size)
}

/** Milliseconds of one Ed25519 verification by WebCrypto: says how fast the machine is at this moment. */
export async function yardstick(clock: Clock): Promise<number> {
  const algorithm = { name: 'Ed25519' }
  const pair = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])
  if (!('publicKey' in pair)) throw new Error('no pair')
  const message = new Uint8Array(300)
  const signature = await crypto.subtle.sign(algorithm, pair.privateKey, message)
  const rounds = 1000
  for (let at = 0; at < rounds; at++) await crypto.subtle.verify(algorithm, pair.publicKey, signature, message)
  const before = clock()
  for (let at = 0; at < rounds; at++) await crypto.subtle.verify(algorithm, pair.publicKey, signature, message)
  return (clock() - before) / rounds
}
