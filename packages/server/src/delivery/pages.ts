/**
 * Pages of logs as frames. When a doorbell wakes many devices at once they ask for the same page: it is read once, and
 * encoded once for all who have as much room for it. Whether a device may read is asked of the store each time.
 */
import { encodeEvent, type ConversationId, type DeviceId } from '@tacit/contract'
import { readableEnd, type DeliveryStore, type StoredEntry } from './delivery.store.ts'

export interface EntryPage {
  readonly kind: 'page'
  readonly frame: Uint8Array
  /** Seq of the last entry in it. */
  readonly end: number
  readonly entries: number
  /** Size of the entries, bytes. */
  readonly bytes: number
}

export interface PageRequest {
  readonly conversation: ConversationId
  readonly device: DeviceId
  readonly after: number
  /** Where a doorbell said that the log reaches. */
  readonly goal: number
  /** Most entries, at least 1. */
  readonly limit: number
  /** Most bytes. */
  readonly bytes: number
  /** Whether one entry comes even if it is larger. */
  readonly atLeastOne: boolean
}

/** `no_room`: there is an entry, but it is larger than what may be read now. */
export type PageOutcome = EntryPage | { readonly kind: 'nothing' } | { readonly kind: 'no_room' }

const NOTHING: PageOutcome = { kind: 'nothing' }
const NO_ROOM: PageOutcome = { kind: 'no_room' }

/** A page that several may ask for: read once, with as much room as the one who has most. */
interface Shared {
  readonly conversation: ConversationId
  readonly after: number
  readonly end: number
  limit: number
  bytes: number
  entries: readonly StoredEntry[]
  /** By number of entries. */
  readonly frames: Map<number, EntryPage>
}

/** Answers in the order asked. */
export async function readPages(
  store: Pick<DeliveryStore, 'positions' | 'ranges'>,
  requests: readonly PageRequest[],
): Promise<PageOutcome[]> {
  if (requests.length === 0) return []
  const positions = await store.positions(requests)
  const shared = new Map<string, Shared>()
  const pages = requests.map((request, at) => {
    const position = positions[at]
    return position && share(shared, request, { after: Math.max(request.after, position.fromSeq), end: readableEnd(position) })
  })
  const wanted = [...shared.values()]
  const found = await store.ranges(wanted)
  for (const [at, page] of wanted.entries()) page.entries = found[at] ?? []
  return requests.map((request, at) => cut(pages[at], request))
}

function share(shared: Map<string, Shared>, request: PageRequest, { after, end }: { after: number; end: number }): Shared | undefined {
  if (after >= end) return undefined
  const { conversation, limit, bytes } = request
  const key = `${conversation}${after}/${end}`
  const page = shared.get(key)
  if (!page) {
    const made: Shared = { conversation, after, end, limit, bytes, entries: [], frames: new Map() }
    shared.set(key, made)
    return made
  }
  page.limit = Math.max(page.limit, limit)
  page.bytes = Math.max(page.bytes, bytes)
  return page
}

function cut(page: Shared | undefined, { limit, bytes, atLeastOne }: PageRequest): PageOutcome {
  if (!page || page.entries.length === 0) return NOTHING
  const count = Math.max(fitting(page.entries, { limit, bytes }), atLeastOne ? 1 : 0)
  if (count === 0) return NO_ROOM
  const known = page.frames.get(count)
  if (known) return known
  const made = frameOf(page, page.entries.slice(0, count))
  page.frames.set(count, made)
  return made
}

function frameOf({ conversation, end: head, after }: Shared, entries: readonly StoredEntry[]): EntryPage {
  return {
    kind: 'page',
    frame: encodeEvent({ name: 'delivery.entries', body: { conversation, head, entries: [...entries] } }),
    end: entries.at(-1)?.seq ?? after,
    entries: entries.length,
    bytes: entries.reduce((sum, entry) => sum + entry.bytes.length, 0),
  }
}

function fitting(entries: readonly StoredEntry[], { limit, bytes }: { limit: number; bytes: number }): number {
  let size = 0
  const cutAt = entries.findIndex((entry, at) => {
    size += entry.bytes.length
    return at === limit || size > bytes
  })
  return cutAt < 0 ? entries.length : cutAt
}
