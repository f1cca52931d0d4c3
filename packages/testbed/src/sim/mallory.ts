/**
 * A server that lies to one device: it changes, repeats, leaves out and misattributes entries on their way, and says that
 * it refused what it accepted. The others must notice nothing but what the victim does, and the victim must notice.
 */
import { decodeFromServer, encodeEvent, encodeRefused, type Entry, type EventFrame } from '@tacit/contract'
import type { Dice } from './dice.ts'

/** One frame in so many is lied about. */
const LIE_ONCE_IN = 12

type Entries = Extract<EventFrame, { name: 'delivery.entries' }>

const LIES: Readonly<Record<string, (entry: Entry) => readonly Entry[]>> = {
  changes: (entry) => [{ ...entry, bytes: entry.bytes.map((byte, at) => (at === entry.bytes.length - 9 ? byte ^ 1 : byte)) }],
  repeats: (entry) => [entry, { ...entry, seq: entry.seq + 1 }],
  leaves_out: () => [],
  misdates: (entry) => [{ ...entry, epoch: entry.epoch + 1 }],
  miscounts: (entry) => [{ ...entry, clientSeq: entry.clientSeq + 1 }],
}

export class Mallory {
  readonly #dice: Dice
  readonly #trace: (what: string) => void

  constructor(dice: Dice, trace: (what: string) => void) {
    this.#dice = dice
    this.#trace = trace
  }

  /** What the victim hears instead; undefined for nothing. */
  readonly forge = (bytes: Uint8Array): Uint8Array | undefined => {
    if (!this.#dice.onceIn(LIE_ONCE_IN)) return bytes
    const frame = decodeFromServer(bytes)
    if (frame.type === 'accepted') {
      this.#trace('MALLORY refuses what was accepted')
      return encodeRefused({ ref: frame.ref, failure: 'stale_epoch', details: {} })
    }
    if (frame.type !== 'event') return bytes
    if (frame.name !== 'delivery.entries') {
      this.#trace(`MALLORY swallows ${frame.name}`)
      return undefined
    }
    return this.#forgeEntries(frame)
  }

  #forgeEntries(frame: Entries): Uint8Array | undefined {
    const [lie = '', make] = this.#dice.pick(Object.entries(LIES)) ?? []
    const at = this.#dice.below(frame.body.entries.length)
    this.#trace(`MALLORY ${lie} ${frame.body.entries[at]?.seq}`)
    const entries = frame.body.entries.flatMap((entry, place) => (place === at && make ? make(entry) : [entry]))
    return encodeEvent({ ...frame, body: { ...frame.body, entries } })
  }
}
