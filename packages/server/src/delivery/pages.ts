/**
 * Pages of logs as frames. When a doorbell wakes many devices at once they ask for the same page: it is read once, and
 * encoded once for all who have as much room for it. Whether a device may read is asked of the store each time.
 */
import { encodeEntries, encodeLogEntry, packLogEntry, type ConversationId, type DeviceId, type Encodable } from '@tacit/contract'
import { readableEnd, type DeliveryStore, type NewEntry, type StoredEntry } from './delivery.store.ts'

export interface EntryPage {
  readonly kind: 'page'
  readonly frame: Uint8Array
  /** Seq of the last entry in it. */
  readonly end: number
  readonly entries: number
  /** Size of the entries, bytes. */
  readonly bytes: number
}

/** The last epoch in which the device is known to be a member, and the position after which it may read. */
export interface KnownMembership {
  readonly memberIn: number
  readonly fromSeq: number
}

/** What came of a request, and what the store said of the membership if it was asked. */
export interface PageAnswer {
  readonly outcome: PageOutcome
  readonly membership?: KnownMembership
}

export interface PageRequest {
  readonly conversation: ConversationId
  readonly device: DeviceId
  readonly after: number
  /** Where a doorbell said that the log reaches. */
  readonly goal: number
  /** The last epoch in which the store said that the device is a member; before all epochs when it did not. */
  readonly memberIn: number
  /** Most entries, at least 1. */
  readonly limit: number
  /** Most bytes. */
  readonly bytes: number
  /** Whether one entry comes even if it is larger. */
  readonly atLeastOne: boolean
}

/** `no_room`: there is an entry, but it is larger than what may be read now. */
export type PageOutcome = EntryPage | { readonly kind: 'nothing' } | { readonly kind: 'no_room' }

/** Before all epochs. */
export const NEVER = -1

const NOWHERE = { fromSeq: 0, toSeq: 0, epoch: NEVER }

const NOTHING: PageOutcome = { kind: 'nothing' }
const NO_ROOM: PageOutcome = { kind: 'no_room' }

/** What of an entry is sent. */
export type SentEntry = Omit<NewEntry, 'conversation' | 'hash'>

/** An entry that is ready to be sent. */
export interface PageEntry {
  readonly seq: number
  readonly epoch: number
  /** Of what the sender sealed, bytes. */
  readonly size: number
  /** As it stands in a frame. */
  readonly ready: Encodable
}

/** Of an entry that is kept for some time, and for several frames: its own bytes are not. */
export const keptEntry = ({ epoch, kind, sender, clientSeq, time, bytes }: SentEntry, seq: number): PageEntry => ({
  seq,
  epoch,
  size: bytes.length,
  ready: encodeLogEntry({ seq, epoch, kind, sender, clientSeq, time, bytes }),
})

const readEntry = (entry: StoredEntry): PageEntry => ({
  seq: entry.seq,
  epoch: entry.epoch,
  size: entry.bytes.length,
  ready: packLogEntry(entry),
})

/** Entries that several ask for, and the frames that were made of them. */
export interface SharedPage {
  readonly conversation: ConversationId
  readonly after: number
  /** How far the log reaches for those who ask. */
  readonly end: number
  readonly entries: readonly PageEntry[]
  /** By number of entries. */
  readonly frames: Map<number, EntryPage>
}

/** Read once, with as much room as the one who has most. */
interface Wanted extends SharedPage {
  limit: number
  bytes: number
  entries: readonly PageEntry[]
  isRead: boolean
}

/** What is read at once, bytes, and then the page that was begun: everybody else's messages wait as long. */
const AT_ONCE = 256 * 1024

/** Answers in the order asked; undefined where there was no room any more, so that it has to be asked again. */
export async function readPages(
  store: Pick<DeliveryStore, 'positions' | 'ranges'>,
  requests: readonly PageRequest[],
): Promise<(PageAnswer | undefined)[]> {
  if (requests.length === 0) return []
  const positions = await store.positions(requests)
  const shared = new Map<string, Wanted>()
  const pages = requests.map((request, at) => {
    const position = positions[at]
    return position && share(shared, request, { after: Math.max(request.after, position.fromSeq), end: readableEnd(position) })
  })
  const wanted = [...shared.values()]
  const found = await store.ranges(wanted, AT_ONCE)
  for (const [at, page] of wanted.entries()) {
    const entries = found[at]
    page.isRead = entries !== undefined
    page.entries = entries?.map(readEntry) ?? []
  }
  return requests.map((request, at) => {
    if (pages[at]?.isRead === false) return undefined
    const { toSeq, epoch, fromSeq } = positions[at] ?? NOWHERE
    return { outcome: cutPage(pages[at], request), membership: { memberIn: toSeq === null ? epoch : NEVER, fromSeq } }
  })
}

function share(shared: Map<string, Wanted>, request: PageRequest, { after, end }: { after: number; end: number }): Wanted | undefined {
  if (after >= end) return undefined
  const { conversation, limit, bytes } = request
  const key = `${conversation}${after}/${end}`
  const page = shared.get(key)
  if (!page) {
    const made: Wanted = { conversation, after, end, limit, bytes, entries: [], isRead: false, frames: new Map() }
    shared.set(key, made)
    return made
  }
  page.limit = Math.max(page.limit, limit)
  page.bytes = Math.max(page.bytes, bytes)
  return page
}

/** As much of the page as there is room for. */
export function cutPage(page: SharedPage | undefined, { limit, bytes, atLeastOne }: PageRequest): PageOutcome {
  if (!page || page.entries.length === 0) return NOTHING
  const count = Math.max(fitting(page.entries, { limit, bytes }), atLeastOne ? 1 : 0)
  if (count === 0) return NO_ROOM
  const known = page.frames.get(count)
  if (known) return known
  const made = frameOf(page, page.entries.slice(0, count))
  page.frames.set(count, made)
  return made
}

function frameOf({ conversation, end: head, after }: SharedPage, entries: readonly PageEntry[]): EntryPage {
  return {
    kind: 'page',
    frame: encodeEntries({ conversation, head, entries: entries.map(({ ready }) => ready) }),
    end: entries.at(-1)?.seq ?? after,
    entries: entries.length,
    bytes: entries.reduce((sum, { size }) => sum + size, 0),
  }
}

function fitting(entries: readonly PageEntry[], { limit, bytes }: { limit: number; bytes: number }): number {
  let size = 0
  const cutAt = entries.findIndex((entry, at) => {
    size += entry.size
    return at === limit || size > bytes
  })
  return cutAt < 0 ? entries.length : cutAt
}
