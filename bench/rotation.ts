/**
 * What fresh keys cost: `npm run bench:rotation`. How many update commits the rules of rotation.ts make per 1,000 messages
 * (played with a clock of its own, so the figures are exact), and how many bytes a commit has in a tree that a big add left
 * cold: when joiners update by lot, as the server lets them, and when neighbours do one after the other (real engine).
 * Prints both tables and writes bench/results/rotation.json.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createMlsEngine, type Group, type KeyPackagePair, type LeafIdentity, type MlsEngine } from '@tacit/mls'
import { countMessage, dueUpdate, rotated, beginRotation, type Rotation } from '@tacit/sdk/rotation'

const SECOND = 1000
const MESSAGES = 1000
const NOW = 1_800_000_000n

interface Pace {
  readonly leaves: number
  /** Milliseconds between two messages of the conversation. */
  readonly every: number
}

const paces: readonly Pace[] = [2, 30].flatMap((leaves) => [1, 10, 60, 600].map((seconds) => ({ leaves, every: seconds * SECOND })))

/** Numbers that are the same in each run (mulberry32). */
function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** Everybody has keys of their own and stays online; whoever is next to write is drawn. Returns how many commits were made. */
function play({ leaves, every }: Pace): number {
  const pick = dice(leaves)
  let now = Number(NOW) * SECOND
  let updates = 0
  const devices: Rotation[] = Array.from({ length: leaves }, () => beginRotation({ fresh: true, leaves, now }))
  const update = (at: number, moment: 'message' | 'turn'): void => {
    const rotation = devices[at]
    if (!rotation || dueUpdate({ rotation, leaves, now, returned: 0, outdated: false, moment }).kind === 'no') return
    devices[at] = rotated({ ...rotation, sealed: now }, now)
    updates++
  }
  for (let message = 0; message < MESSAGES; message++) {
    now += every
    const writer = pick(leaves)
    update(writer, 'message')
    for (const [at, rotation] of devices.entries()) devices[at] = countMessage(rotation, { mine: at === writer })
    for (const at of devices.keys()) update(at, 'turn')
  }
  return updates
}

interface Seat {
  readonly identity: LeafIdentity
  group: Group
}

const authenticate = (): Promise<boolean> => Promise.resolve(true)
const hooks = { authenticate, judge: authenticate, now: NOW }

/** A group that one commit has filled. */
async function filled(engine: MlsEngine, size: number): Promise<Seat[]> {
  const devices: { identity: LeafIdentity; keyPackage: KeyPackagePair }[] = []
  for (let at = 0; at < size; at++) {
    const identity = { credential: new TextEncoder().encode(`device ${at}`), signature: await engine.generateSignaturePair() }
    const keyPackage = await engine.createKeyPackage({ identity, notBefore: NOW - 3600n, notAfter: NOW + 3600n, lastResort: false })
    devices.push({ identity, keyPackage })
  }
  const [creator, ...joiners] = devices
  if (!creator) throw new TypeError('a group has a creator')
  const created = await engine.createGroup({ groupId: new Uint8Array(16), identity: creator.identity, policy: new Uint8Array() })
  const add = joiners.map(({ keyPackage }) => keyPackage.keyPackage)
  const { next, welcomes } = await engine.commit(created.group, { add, now: NOW, authenticate })
  const seats: Seat[] = [{ identity: creator.identity, group: next }]
  for (const { identity, keyPackage } of joiners) {
    const welcome = welcomes.find(({ refs }) => refs.some((ref) => ref.every((byte, at) => byte === keyPackage.ref[at])))
    if (!welcome) throw new TypeError('a joiner has a Welcome')
    seats.push({ identity, group: (await engine.join({ welcome: welcome.bytes, keyPackage, identity, authenticate, now: NOW })).group })
  }
  return seats
}

/** Each seat updates once, in this order; bytes of each commit. Others follow. */
async function warm(engine: MlsEngine, { size, order }: { size: number; order: readonly number[] }): Promise<number[]> {
  const seats = await filled(engine, size)
  const sizes: number[] = []
  for (const turn of order) {
    const committer = seats[turn]
    if (!committer) throw new TypeError('nobody sits there')
    const { next, commit } = await engine.commit(committer.group, { now: NOW, authenticate })
    sizes.push(commit.length)
    for (const seat of seats) if (seat !== committer) seat.group = (await engine.open(seat.group, commit, hooks)).group
    committer.group = next
  }
  return sizes
}

function shuffled(size: number): number[] {
  const pick = dice(size)
  const order = Array.from({ length: size }, (_, at) => at)
  for (let at = size - 1; at > 0; at--) {
    const other = pick(at + 1)
    const [left, right] = [order[at] ?? 0, order[other] ?? 0]
    order[at] = right
    order[other] = left
  }
  return order
}

const sum = (sizes: readonly number[]): number => sizes.reduce((all, size) => all + size, 0)

async function warmUp(engine: MlsEngine, size: number) {
  const byLot = await warm(engine, { size, order: shuffled(size) })
  const neighbours = await warm(engine, { size, order: Array.from({ length: size }, (_, at) => at) })
  return { size, first: byLot[0], last: byLot.at(-1), byLot: sum(byLot), neighbours: sum(neighbours) }
}

const updates = paces.map((pace) => ({ ...pace, updates: play(pace) }))
console.table(
  updates.map(({ leaves, every, updates: count }) => ({ leaves, 'seconds apart': every / SECOND, 'updates per 1,000 messages': count })),
)
const engine = await createMlsEngine()
const trees: Awaited<ReturnType<typeof warmUp>>[] = []
for (const size of [2, 30, 64]) trees.push(await warmUp(engine, size))
console.table(trees)
mkdirSync('bench/results', { recursive: true })
writeFileSync('bench/results/rotation.json', `${JSON.stringify({ suite: engine.suiteName, updates, trees }, null, 2)}\n`)
