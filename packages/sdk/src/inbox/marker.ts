/**
 * Entries that kill the process. Before a batch of a catch-up is read, a marker is stored; the transaction that stores the
 * batch takes it away. A marker found at the start means that reading did not survive it: then entries are read one by one,
 * each with a marker of its own, and the one that is marked twice is passed over.
 */
import { ConversationId, decodeCbor, encodeCbor, type Entry } from '@tacit/contract'
import { blob } from '../local-store/columns.ts'
import type { StoreDriver, Writer } from '../local-store/driver.ts'

interface Marker {
  readonly conversation: ConversationId
  readonly seq: number
  /** Whether it marks this one entry, or all from here on. */
  readonly exact: boolean
}

/** How the entries may be read: together, or one by one and without the one that is known to kill. */
export type Approach = { readonly kind: 'together' } | { readonly kind: 'one_by_one'; readonly deadly: number | undefined }

/** What the last process left behind about this conversation. */
export async function approachTo(store: StoreDriver, conversation: ConversationId): Promise<Approach> {
  const marker = await loadMarker(store)
  if (marker?.conversation !== conversation) return { kind: 'together' }
  return { kind: 'one_by_one', deadly: marker.exact ? marker.seq : undefined }
}

export async function markReading(
  store: StoreDriver,
  { conversation, first, exact }: { conversation: ConversationId; first: Entry; exact: boolean },
): Promise<void> {
  const value = encodeCbor([conversation, first.seq, exact])
  await store.transaction((writer) => writer.run('insert or replace into setting (name, value) values (?, ?)', ['marker', value]))
}

/** Part of the transaction that stores what was read. */
export const clearMarker = (writer: Writer): Promise<void> => writer.run('delete from setting where name = ?', ['marker'])

async function loadMarker(store: StoreDriver): Promise<Marker | undefined> {
  const row = await store.get('select value from setting where name = ?', ['marker'])
  const value = row && decodeCbor(blob(row, 'value'))
  if (!Array.isArray(value)) return undefined
  const [conversation, seq, exact] = value
  const parsed = ConversationId.safeParse(conversation).data
  return parsed && typeof seq === 'number' ? { conversation: parsed, seq, exact: exact === true } : undefined
}
