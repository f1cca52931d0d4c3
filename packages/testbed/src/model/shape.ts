/**
 * The shape of a small world with everything that does not matter for the promise left out: who wrote what is a number, what is
 * sealed is who, when and for which epoch, and the network is a bag of what is on its way. Values are never changed; each part is
 * replaced by another one, so that states share what they have in common.
 */

/** Something that a device wants in a log: a message, or a commit that begins a new epoch. */
export interface Wish {
  readonly name: number
  readonly kind: 'message' | 'commit'
}

/** Ciphertext. Who uses the same keys twice has two that differ and have one `generation`. */
export interface Sealed {
  readonly wish: Wish
  readonly device: number
  readonly epoch: number
  readonly clientSeq: number
  /** Which of the sender's keys of this epoch it was sealed with. */
  readonly generation: number
  /** How far its sender had read: inside what is sealed. */
  readonly seen: number
}

/** Where a device is with what it has sealed. Only in memory: whoever starts again begins with `idle`. */
export type Phase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'sent' }
  /** Accepted; the log will tell. */
  | { readonly kind: 'awaits' }
  /** Refused: what was sealed is dropped once the log has been read up to here and does not hold it. */
  | { readonly kind: 'retreats'; readonly upTo: number }

/** A device in one conversation. What survives its process is all but `phase`. */
export interface Half {
  readonly cursor: number
  readonly epoch: number
  /** Of its newest own entry in the log that it has read. */
  readonly clientSeq: number
  /** Keys of this epoch that are used. */
  readonly used: number
  readonly waiting: readonly Wish[]
  readonly sealed: Sealed | undefined
  /** Names of wishes in the order in which they were read. */
  readonly shown: readonly number[]
  readonly phase: Phase
}

/** A conversation on the server: its log, its epoch, the counter of each device. */
export interface Log {
  readonly entries: readonly Sealed[]
  readonly epoch: number
  readonly counters: readonly number[]
}

export type Answer =
  | { readonly kind: 'accepted'; readonly seq: number; readonly entry: Sealed }
  | { readonly kind: 'duplicate'; readonly seq: number; readonly entry: Sealed }
  | { readonly kind: 'refused'; readonly head: number }

/** On its way: to the server, or back. What goes back ends with the socket of whoever asked. */
export type Flight =
  | { readonly to: 'server'; readonly sealed: Sealed }
  | { readonly to: 'device'; readonly device: number; readonly about: Sealed; readonly answer: Answer }

/** One conversation whole. Conversations have nothing in common but the devices, which end in all of them at once. */
export interface Room {
  readonly log: Log
  readonly halves: readonly Half[]
  readonly flights: readonly Flight[]
}

export type State = readonly Room[]

/** What is wrong, by the numbers of the promise. */
export interface Broken {
  readonly id: string
  readonly says: string
}

export const IDLE: Phase = { kind: 'idle' }

/** The world in which each device of each conversation has these wishes, and nothing has happened. */
export const firstState = (wishes: readonly (readonly (readonly Wish[])[])[]): State =>
  wishes.map((ofDevices) => ({
    log: { entries: [], epoch: 0, counters: ofDevices.map(() => 0) },
    halves: ofDevices.map((waiting) => ({
      cursor: 0,
      epoch: 0,
      clientSeq: 0,
      used: 0,
      waiting,
      sealed: undefined,
      shown: [],
      phase: IDLE,
    })),
    flights: [],
  }))

export const sameSealed = (left: Sealed, right: Sealed): boolean => nameOf(left) === nameOf(right)

/** A sealed thing by its content; two with the same name are the same bytes. */
export const nameOf = ({ wish, device, epoch, clientSeq, generation, seen }: Sealed): string =>
  `${wish.name}${wish.kind[0]}${device}e${epoch}c${clientSeq}g${generation}s${seen}`

const names = new WeakMap<Room, string>()

/** A state by its content. */
export const keyOf = (state: State): string => state.map(keyOfRoom).join('|')

function keyOfRoom(room: Room): string {
  const known = names.get(room)
  if (known !== undefined) return known
  const name = [logName(room.log), ...room.halves.map(halfName), ...room.flights.map(flightName).toSorted()].join(';')
  names.set(room, name)
  return name
}

const logName = ({ entries, epoch, counters }: Log): string => `${entries.map(nameOf).join(',')}/${epoch}/${counters.join()}`

/** What is shown is what was read, so the cursor says it. */
const halfName = ({ cursor, epoch, clientSeq, used, waiting, sealed, phase }: Half): string =>
  `${cursor}.${epoch}.${clientSeq}.${used}.${waiting.length}.${sealed ? nameOf(sealed) : ''}.${phase.kind}${phase.kind === 'retreats' ? phase.upTo : ''}`

function flightName(flight: Flight): string {
  if (flight.to === 'server') return `>${nameOf(flight.sealed)}`
  const { device, about, answer } = flight
  const what = answer.kind === 'refused' ? `x${answer.head}` : `${answer.kind[0]}${answer.seq}${nameOf(answer.entry)}`
  return `<${device}${nameOf(about)}${what}`
}
