/**
 * Changes of the archive, planned on one version of it: new segments with what is not in it yet, messages taken out that
 * their person deleted, segments rewritten when something in them has expired, and small ones put together. A rewrite only
 * takes away and putting together only moves, so whoever has read all numbers of a segment needs not read it again.
 */
import { limits, type ConversationId } from '@tacit/contract'
import { findConversation } from '../conversations/conversation.store.ts'
import type { Reader, StoreDriver, Writer } from '../local-store/driver.ts'
import { loadNames } from '../messages/people-names.ts'
import { byteLength } from '../messages/payload.ts'
import { sha256 } from '../sealing.ts'
import type { Random } from '../surroundings.ts'
import {
  isExpired,
  markArchived,
  markRead,
  markTold,
  pendingItems,
  untoldForgotten,
  type Forgotten,
  type OwnItem,
} from './archive.store.ts'
import { mustFetch, type ArchiveAccess, type Current } from './fetch.ts'
import { entryOf, type Head, type SegmentEntry } from './head.ts'
import { peopleIn, readStoredNotice } from './notices.ts'
import { LARGEST_SEGMENT, sealPiece } from './sealed.ts'
import { encodeSegment, type ArchivedConversation, type ArchivedItem, type Segment } from './segment.ts'

export interface ChangeParts extends ArchiveAccess {
  readonly store: StoreDriver
  readonly random: Random
  readonly now: number
}

/** The next archive, and what this device remembers once the server has taken it. */
export interface Change {
  readonly head: Head
  readonly put: readonly { readonly number: number; readonly bytes: Uint8Array<ArrayBuffer> }[]
  readonly drop: readonly number[]
  /** Whatever else is there goes. */
  readonly clear?: boolean
  readonly taken: (writer: Writer) => Promise<void>
}

/** More rows than a segment takes. */
const PAGE = 4000
/** Messages taken out in one change; each may rewrite a segment. */
const FORGOTTEN_AT_ONCE = 64
/** Segments rewritten in one change: with a new one and the head they fit one request. */
const REWRITTEN_AT_ONCE = 2
/** So many small segments at the end are put together. */
const SMALL_ONES = 8
const SMALL = 64 * 1024

/** What is to be done next; undefined when the archive is as it should be. Not `whole`: the server hides a part of it, so it is only added to. */
export async function nextChange(parts: ChangeParts, current: Current, { whole }: { whole: boolean }): Promise<Change | undefined> {
  if (!whole) return append(parts, current)
  return (
    (await takeOut(parts, current)) ??
    (await append(parts, current)) ??
    (await dropExpired(parts, current)) ??
    (await putTogether(parts, current))
  )
}

/** Rewrites the segments that have messages which were deleted, and says so for the other devices. */
async function takeOut(parts: ChangeParts, current: Current): Promise<Change | undefined> {
  const all = await untoldForgotten(parts.store, FORGOTTEN_AT_ONCE)
  const holding = [...new Set(all.flatMap(({ segment }) => entryOf(current.head, segment) ?? []))].slice(0, REWRITTEN_AT_ONCE)
  const now = all.filter(({ segment }) => {
    const entry = entryOf(current.head, segment)
    return entry === undefined || holding.includes(entry)
  })
  if (now.length === 0) return undefined
  const gone = new Set(now.map(({ conversation, message }) => `${conversation} ${message}`))
  const rewritten = []
  for (const entry of holding) {
    const segment = await mustFetch(parts, current, entry)
    const stays = (item: ArchivedItem) => item.kind !== 'message' || !gone.has(`${item.conversation} ${item.message}`)
    rewritten.push(await rewrite(parts, { entry, segment: { ...segment, items: segment.items.filter(stays) } }))
  }
  const said = now.map((one): ArchivedItem => ({ kind: 'forgotten', ...placeOf(one), message: one.message }))
  return withNew(parts, current, { items: said.map((item) => ({ item, part: 0 })), rewritten, forgotten: now })
}

const placeOf = ({ conversation, seq, time }: Forgotten) => ({ conversation, seq, time })

async function append(parts: ChangeParts, current: Current): Promise<Change | undefined> {
  if (current.head.segments.length >= limits.archiveSegments) return undefined
  const items = await pendingItems(parts.store, { now: parts.now, most: PAGE })
  return items.length === 0 ? undefined : withNew(parts, current, { items, rewritten: [], forgotten: [] })
}

interface Wanted {
  readonly items: readonly OwnItem[]
  readonly rewritten: readonly Written[]
  readonly forgotten: readonly Forgotten[]
}

async function withNew(parts: ChangeParts, { head }: Current, { items, rewritten, forgotten }: Wanted): Promise<Change> {
  const number = head.next
  const packed = await pack(parts.store, items)
  const added = await write(parts, { place: { number, through: number, revision: 1 }, segment: packed.segment })
  return {
    head: { ...replaced(head, rewritten), next: number + 1, segments: [...replaced(head, rewritten).segments, added.entry] },
    put: [...rewritten, added].map(({ entry, bytes }) => ({ number: entry.number, bytes })),
    drop: [],
    async taken(writer) {
      await markArchived(writer, packed.items, number)
      await markTold(writer, forgotten, number)
      await markRead(writer, added.entry)
    },
  }
}

/** Takes from the items what fits one segment, with everything that they name. */
async function pack(store: Reader, items: readonly OwnItem[]): Promise<{ readonly items: readonly OwnItem[]; readonly segment: Segment }> {
  const names = await loadNames(store)
  const people = new Map<string, Segment['people'][number]>()
  const conversations = new Map<ConversationId, ArchivedConversation>()
  const taken: OwnItem[] = []
  let size = 64
  for (const own of items) {
    const { item } = own
    const talk = conversations.get(item.conversation) ?? (await describe(store, item.conversation))
    const mentioned = [...peopleOf(item), ...(talk.peer ? [talk.peer] : [])].filter((account) => !people.has(account)).map(names)
    const named = mentioned.reduce((sum, { handle }) => sum + 24 + byteLength(handle), 0)
    size += weightOf(item, items[0]?.item.time ?? 0) + named + (conversations.has(item.conversation) ? 0 : 32 + byteLength(talk.title))
    if (size > LARGEST_SEGMENT) break
    for (const person of mentioned) people.set(person.account, person)
    conversations.set(item.conversation, talk)
    taken.push(own)
  }
  return {
    items: taken,
    segment: { people: [...people.values()], conversations: [...conversations.values()], items: taken.map(({ item }) => item) },
  }
}

/** At least as many bytes as an item takes, beside what it names. */
function weightOf(item: ArchivedItem, base: number): number {
  const placed = 5 + sizeOf(item.seq) + sizeOf(item.time - base)
  if (item.kind === 'message') return placed + 25 + byteLength(item.text) + (item.expires === undefined ? 0 : 9)
  return placed + (item.kind === 'notice' ? 4 + byteLength(item.detail) : 18)
}

/** Bytes of a number in CBOR. */
function sizeOf(number: number): number {
  const value = Math.abs(number)
  if (value < 24) return 1
  if (value < 256) return 2
  if (value < 65_536) return 3
  return value < 2 ** 32 ? 5 : 9
}

function peopleOf(item: ArchivedItem) {
  if (item.kind === 'message') return [item.account]
  const notice = item.kind === 'notice' && readStoredNotice(item.detail)
  return notice ? peopleIn(notice) : []
}

async function describe(store: Reader, conversation: ConversationId): Promise<ArchivedConversation> {
  const state = await findConversation(store, conversation)
  return { conversation, kind: state?.kind ?? 'group', title: state?.title ?? '', peer: state?.peer }
}

/** Rewrites a segment in which something has expired. */
async function dropExpired(parts: ChangeParts, current: Current): Promise<Change | undefined> {
  const entry = current.head.segments.find(({ expires }) => expires > 0 && expires <= parts.now)
  if (!entry) return undefined
  const segment = await mustFetch(parts, current, entry)
  const items = segment.items.filter((item) => !isExpired(item, parts.now))
  return onlyRewritten(current, await rewrite(parts, { entry, segment: { ...segment, items } }), [])
}

/** Puts the small segments at the end together, so that their number does not grow with every few words. */
async function putTogether(parts: ChangeParts, current: Current): Promise<Change | undefined> {
  const { segments } = current.head
  const lastLarge = segments.findLastIndex(({ size }) => size > SMALL)
  const small = segments.slice(lastLarge + 1)
  const [first] = small
  if (small.length < SMALL_ONES || !first) return undefined
  let size = 0
  // Times may take more room beside others.
  const together = small.filter((entry) => (size += entry.size) <= 0.75 * LARGEST_SEGMENT)
  const parted = await Promise.all(together.map((entry) => mustFetch(parts, current, entry)))
  const through = together.at(-1)?.through ?? first.through
  const written = await rewrite(parts, { entry: { ...first, through }, segment: joined(parted) })
  return onlyRewritten(
    current,
    written,
    together.slice(1).map(({ number }) => number),
  )
}

function onlyRewritten(current: Current, written: Written, drop: readonly number[]): Change {
  const put = [{ number: written.entry.number, bytes: written.bytes }]
  return { head: replaced(current.head, [written]), put, drop, taken: async () => undefined }
}

function joined(parts: readonly Segment[]): Segment {
  const people = new Map(parts.flatMap((part) => part.people.map((person) => [person.account, person] as const)))
  const conversations = new Map(parts.flatMap((part) => part.conversations.map((one) => [one.conversation, one] as const)))
  const items = parts.flatMap((part) => part.items).toSorted((one, other) => one.time - other.time)
  return { people: [...people.values()], conversations: [...conversations.values()], items }
}

/** A segment as it goes to the server, and its line in the head. */
interface Written {
  readonly entry: SegmentEntry
  readonly bytes: Uint8Array<ArrayBuffer>
}

const rewrite = (parts: ChangeParts, { entry, segment }: { entry: SegmentEntry; segment: Segment }): Promise<Written> =>
  write(parts, { place: { number: entry.number, through: entry.through, revision: entry.revision + 1 }, segment })

async function write(
  { account, keys, random }: ChangeParts,
  { place, segment }: { place: Pick<SegmentEntry, 'number' | 'through' | 'revision'>; segment: Segment },
): Promise<Written> {
  const key = await keys.newest()
  const { number, revision } = place
  const bytes = await sealPiece({ place: { kind: 'segment', account, number, revision }, key, bytes: encodeSegment(segment), random })
  const expiries = segment.items.flatMap((item) => (item.kind === 'message' && item.expires !== undefined ? [item.expires] : []))
  const entry: SegmentEntry = {
    ...place,
    generation: key.generation,
    hash: await sha256(bytes),
    size: bytes.length,
    items: segment.items.length,
    newest: segment.items.reduce((newest, { time }) => Math.max(newest, time), 0),
    expires: expiries.length === 0 ? 0 : Math.max(1, Math.min(...expiries)),
  }
  return { entry, bytes }
}

/** The head with these lines instead of those of the same numbers, and of those that they cover. */
function replaced(head: Head, written: readonly Written[]): Head {
  const segments = head.segments.flatMap((old) => {
    const covering = written.find(({ entry }) => entry.number <= old.number && old.through <= entry.through)
    if (!covering) return [old]
    return covering.entry.number === old.number ? [covering.entry] : []
  })
  return { ...head, segments }
}
