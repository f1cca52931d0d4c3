/**
 * Pages of a log as frames. When a doorbell wakes many devices at once they ask for the same page: it is read and encoded
 * once, and forgotten as soon as all of them were served, so a page never outlives the moment in which it was read.
 */
import { encodeEvent, type ConversationId } from '@tacit/contract'
import type { DeliveryReader, StoredEntry } from './delivery.store.ts'

export interface EntryPage {
  readonly frame: Uint8Array
  /** Seq of the last entry in it. */
  readonly end: number
  readonly entries: number
  /** Size of the entries, bytes. */
  readonly bytes: number
}

export interface PageRequest {
  readonly conversation: ConversationId
  readonly after: number
  /** The last entry that may be read. */
  readonly end: number
  /** Most entries, at least 1. */
  readonly limit: number
  /** Most bytes. */
  readonly bytes: number
  /** Whether one entry comes even if it is larger. */
  readonly atLeastOne: boolean
}

/** `no_room`: there is an entry, but it is larger than what may be read now. */
export type PageOutcome = EntryPage | 'nothing' | 'no_room'

export class Pages {
  readonly #reader: DeliveryReader
  readonly #served = new Map<string, EntryPage>()

  constructor(reader: DeliveryReader) {
    this.#reader = reader
  }

  /** The entries after a position, in one frame. */
  read(request: PageRequest): PageOutcome {
    const key = `${request.conversation}${request.after}/${request.end}`
    const served = this.#served.get(key)
    if (served && served.entries <= request.limit && served.bytes <= request.bytes) return served
    const page = this.#build(request)
    if (typeof page === 'object') this.#served.set(key, page)
    return page
  }

  forget(): void {
    if (this.#served.size > 0) this.#served.clear()
  }

  #build({ conversation, after, end, limit, bytes, atLeastOne }: PageRequest): PageOutcome {
    const read = this.#reader.entries({ conversation, after, end, limit })
    const fitting = withinBytes(read, bytes)
    const entries = fitting.length === 0 && atLeastOne ? read.slice(0, 1) : fitting
    const last = entries.at(-1)
    if (!last) return read.length === 0 ? 'nothing' : 'no_room'
    return {
      frame: encodeEvent({ name: 'delivery.entries', body: { conversation, head: end, entries } }),
      end: last.seq,
      entries: entries.length,
      bytes: sizeOf(entries),
    }
  }
}

function withinBytes(entries: StoredEntry[], bytes: number): StoredEntry[] {
  let size = 0
  const cut = entries.findIndex((entry) => {
    size += entry.bytes.length
    return size > bytes
  })
  return cut < 0 ? entries : entries.slice(0, cut)
}

const sizeOf = (entries: readonly StoredEntry[]): number => entries.reduce((sum, entry) => sum + entry.bytes.length, 0)
