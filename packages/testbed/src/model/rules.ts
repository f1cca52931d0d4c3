/**
 * What can happen next, by the rules of docs/protocol/delivery.md. The server's rule is the product's own (`judgeAppend`); the
 * device's are those of the sending and receiving machines in packages/sdk (`outbox/transmit.ts`, `inbox/receive.ts`) without
 * their stores and their cryptography. `RuleSet` names the places where a mistake would cost a promise.
 */
import { judgeAppend } from '@tacit/server'
import { IDLE, nameOf, sameSealed, type Answer, type Broken, type Flight, type Half, type Room, type Sealed, type State } from './shape.ts'

export interface RuleSet {
  readonly judge: typeof judgeAppend
  /** What nobody has answered goes out again as the same bytes; without it it is sealed anew. */
  readonly sameBytes: boolean
  /** What is sealed is stored before it is sent; without it a device that ends in between seals again with the same keys. */
  readonly storesSealed: boolean
  /** An own entry in the log is known for what is sealed here. */
  readonly knowsOwn: boolean
}

export const PRODUCT: RuleSet = { judge: judgeAppend, sameBytes: true, storesSealed: true, knowsOwn: true }

export interface Step {
  readonly name: string
  readonly state: State
  readonly broken: readonly Broken[]
  /** Weather: may happen, need not. What goes on only by weather stands still. */
  readonly weather: boolean
}

type Next = Omit<Step, 'state' | 'name'> & { readonly name: string; readonly room: Room }

const FINE: readonly Broken[] = []

/** Everything that can happen in a state, each with the state after it. */
export function* stepsFrom(state: State, rules: RuleSet): Generator<Step> {
  for (const [at, room] of state.entries())
    for (const { name, room: after, ...rest } of stepsIn(room, rules))
      yield { ...rest, name: `conversation ${at}: ${name}`, state: state.with(at, after) }
  const [first] = state
  for (const device of first?.halves.keys() ?? []) {
    const after = state.map((room) => restarted(room, device, rules))
    yield { name: `device ${device} starts again`, state: after, broken: FINE, weather: true }
  }
}

function* stepsIn(room: Room, rules: RuleSet): Generator<Next> {
  for (const device of room.halves.keys()) {
    const next = [seal(room, device), send(room, device), read(room, device, rules), dropRefused(room, device)]
    yield* next.filter((step) => step !== undefined)
  }
  for (const [at, flight] of room.flights.entries()) {
    const rest = room.flights.toSpliced(at, 1)
    if (flight.to === 'server') {
      yield submit(room, { sealed: flight.sealed, flights: rest, rules, twice: false })
      yield submit(room, { sealed: flight.sealed, flights: room.flights, rules, twice: true })
    } else yield hear({ ...room, flights: rest }, flight)
    yield {
      name: `lost: ${flight.to === 'server' ? 'a submission' : 'an answer'}`,
      room: lose(room, at, rules),
      broken: FINE,
      weather: true,
    }
  }
}

const withHalf = (room: Room, device: number, change: Partial<Half>): Room => {
  const half = room.halves[device]
  return half ? { ...room, halves: room.halves.with(device, { ...half, ...change }) } : room
}

/** The socket that waited for the answer ends with it: the device asks again. */
function lose(room: Room, at: number, rules: RuleSet): Room {
  const flight = room.flights[at]
  const without = { ...room, flights: room.flights.toSpliced(at, 1) }
  const device = flight?.to === 'server' ? flight.sealed.device : flight?.device
  const half = device === undefined ? undefined : without.halves[device]
  if (device === undefined || half?.phase.kind !== 'sent') return without
  return withHalf(without, device, { phase: IDLE, ...(!rules.sameBytes && unsealed(half)) })
}

/** The device loses what it has in memory, and the answers that were for its socket. */
function restarted(room: Room, device: number, rules: RuleSet): Room {
  const half = room.halves[device]
  const flights = room.flights.filter((flight) => flight.to === 'server' || flight.device !== device)
  if (!half) return room
  const forgets = !rules.storesSealed && half.sealed !== undefined
  if (half.phase.kind === 'idle' && flights.length === room.flights.length && !forgets) return room
  return withHalf({ ...room, flights }, device, { phase: IDLE, ...(forgets && { ...unsealed(half), used: half.used - 1 }) })
}

const unsealed = ({ sealed, waiting }: Half): Partial<Half> => ({
  sealed: undefined,
  waiting: sealed ? [sealed.wish, ...waiting] : waiting,
})

function seal(room: Room, device: number): Next | undefined {
  const half = room.halves[device]
  const [wish, ...waiting] = half?.waiting ?? []
  if (!half || !wish || half.sealed) return undefined
  const sealed: Sealed = { wish, device, epoch: half.epoch, clientSeq: half.clientSeq + 1, generation: half.used, seen: half.cursor }
  return {
    name: `device ${device} seals ${wish.name}`,
    room: withHalf(room, device, { sealed, waiting, used: half.used + 1 }),
    broken: FINE,
    weather: false,
  }
}

function send(room: Room, device: number): Next | undefined {
  const half = room.halves[device]
  if (!half?.sealed || half.phase.kind !== 'idle') return undefined
  const { sealed } = half
  const flight: Flight = { to: 'server', sealed }
  const known = room.flights.some((other) => other.to === 'server' && sameSealed(other.sealed, sealed))
  const flights = known ? room.flights : [...room.flights, flight]
  return {
    name: `device ${device} sends ${sealed.wish.name}`,
    room: withHalf({ ...room, flights }, device, { phase: { kind: 'sent' } }),
    broken: brokenByShowing(room, sealed),
    weather: false,
  }
}

/** Whoever watches the network sees what is on its way and what is in the log. */
function brokenByShowing({ flights, log }: Room, sealed: Sealed): readonly Broken[] {
  const seen = [...log.entries, ...flights.map((flight) => (flight.to === 'server' ? flight.sealed : flight.about))]
  const isSameKey = ({ device, epoch, generation }: Sealed) =>
    device === sealed.device && epoch === sealed.epoch && generation === sealed.generation
  const other = seen.find((one) => isSameKey(one) && !sameSealed(one, sealed))
  return other ? [{ id: 'D-6', says: `${nameOf(sealed)} and ${nameOf(other)} are sealed with one key` }] : FINE
}

interface Submission {
  readonly sealed: Sealed
  readonly flights: readonly Flight[]
  readonly rules: RuleSet
  /** The network brings it once more later. */
  readonly twice: boolean
}

function submit(room: Room, { sealed, flights, rules, twice }: Submission): Next {
  const { device, epoch, clientSeq } = sealed
  const { entries, counters } = room.log
  const membership = { active: true, clientSeq: counters[device] ?? 0 }
  const verdict = rules.judge({ log: { epoch: room.log.epoch, head: entries.length }, membership }, { epoch, clientSeq })
  const stored = entries.findIndex((entry) => entry.device === device && entry.clientSeq === clientSeq)
  const log =
    verdict.kind === 'append'
      ? {
          entries: [...entries, sealed],
          epoch: room.log.epoch + (sealed.wish.kind === 'commit' ? 1 : 0),
          counters: counters.with(device, clientSeq),
        }
      : room.log
  const answer: Answer =
    verdict.kind === 'append'
      ? { kind: 'accepted', seq: verdict.seq, entry: sealed }
      : verdict.kind === 'repeat' && entries[stored]
        ? { kind: 'duplicate', seq: stored + 1, entry: entries[stored] }
        : { kind: 'refused', head: entries.length }
  const back: Flight = { to: 'device', device, about: sealed, answer }
  const half = room.halves[device]
  // Whoever asked by a socket that is gone hears nothing; and one answer to a question is as good as two.
  const asks = half?.phase.kind === 'sent' && half.sealed !== undefined && sameSealed(half.sealed, sealed)
  const listens = asks && !flights.some((other) => other.to === 'device' && other.device === device)
  return {
    name: `${answer.kind}: ${sealed.wish.name} of device ${device}`,
    room: { ...room, log, flights: listens ? [...flights, back] : flights },
    broken: verdict.kind === 'append' ? brokenByAppending(entries, sealed, room.log.epoch) : FINE,
    weather: twice,
  }
}

function brokenByAppending(entries: readonly Sealed[], sealed: Sealed, epoch: number): readonly Broken[] {
  const broken: Broken[] = []
  const same = entries.filter((entry) => entry.device === sealed.device)
  if (entries.some((entry) => entry.wish.name === sealed.wish.name))
    broken.push({ id: 'D-5', says: `${nameOf(sealed)} is in the log twice` })
  if (sealed.clientSeq !== same.length + 1) broken.push({ id: 'D-6', says: `${nameOf(sealed)} is entry ${same.length + 1} of its device` })
  if (sealed.epoch !== epoch) broken.push({ id: 'D-8', says: `${nameOf(sealed)} is of another epoch than the log, ${epoch}` })
  return broken
}

/** An answer reaches the device that asked. */
function hear(room: Room, { device, about, answer }: Extract<Flight, { to: 'device' }>): Next {
  const name = `device ${device} hears: ${answer.kind}`
  const half = room.halves[device]
  const isOver = !half?.sealed || !sameSealed(half.sealed, about) || half.phase.kind !== 'sent'
  if (isOver) return { name, room, broken: FINE, weather: false }
  if (answer.kind === 'refused') {
    return { name, room: withHalf(room, device, { phase: { kind: 'retreats', upTo: answer.head } }), broken: FINE, weather: false }
  }
  const isOurs = sameSealed(answer.entry, about)
  const lies = room.log.entries[answer.seq - 1]
  const broken = [
    ...(isOurs ? [] : [{ id: 'D-6', says: `${nameOf(about)} was answered with ${nameOf(answer.entry)}` }]),
    ...(lies && sameSealed(lies, answer.entry) ? [] : [{ id: 'D-1', says: `${nameOf(answer.entry)} is not at ${answer.seq}` }]),
  ]
  return { name, room: withHalf(room, device, { phase: { kind: 'awaits' } }), broken, weather: false }
}

/** The log is read up to where the refusal was, and does not hold it. */
function dropRefused(room: Room, device: number): Next | undefined {
  const half = room.halves[device]
  if (!half?.sealed || half.phase.kind !== 'retreats' || half.cursor < half.phase.upTo) return undefined
  const { wish } = half.sealed
  return {
    name: `device ${device} takes ${wish.name} back`,
    room: withHalf(room, device, { ...unsealed(half), phase: IDLE }),
    broken: FINE,
    weather: false,
  }
}

function read(room: Room, device: number, rules: RuleSet): Next | undefined {
  const half = room.halves[device]
  const entry = half && room.log.entries[half.cursor]
  if (!half || !entry) return undefined
  const isOwn = entry.device === device
  const settles = isOwn && rules.knowsOwn && half.sealed !== undefined && sameSealed(half.sealed, entry)
  const isCommit = entry.wish.kind === 'commit'
  const after: Partial<Half> = {
    cursor: half.cursor + 1,
    epoch: half.epoch + (isCommit ? 1 : 0),
    used: isCommit ? 0 : half.used,
    clientSeq: isOwn ? entry.clientSeq : half.clientSeq,
    shown: [...half.shown, entry.wish.name],
    ...(settles && { sealed: undefined, phase: IDLE }),
  }
  return {
    name: `device ${device} reads ${entry.wish.name}`,
    room: withHalf(room, device, after),
    broken: brokenByReading(half, entry, device),
    weather: false,
  }
}

function brokenByReading(half: Half, entry: Sealed, device: number): readonly Broken[] {
  const broken: Broken[] = []
  const { name } = entry.wish
  if (half.shown.includes(name)) broken.push({ id: 'D-5', says: `device ${device} shows ${name} twice` })
  if (entry.epoch !== half.epoch) broken.push({ id: 'D-18', says: `device ${device} cannot read ${name}: it is of epoch ${entry.epoch}` })
  return broken
}
