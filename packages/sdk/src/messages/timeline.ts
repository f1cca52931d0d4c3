/** A conversation's timeline as it is on disk: the newest items of the log, then what waits in the outbox. */
import { AccountId, failureNames, MessageId, type ConversationId } from '@tacit/contract'
import type { MessageState, Notice, Person, Timeline, TimelineItem, UnreadableReason } from '../api.ts'
import { id, integer, optionalText, text } from '../local-store/columns.ts'
import type { Reader, Row } from '../local-store/driver.ts'
import { storeError } from '../local-store/failure.ts'
import { lostMessages } from '../rollback/rollback.store.ts'
import { othersProgress, type Progress } from '../signals/receipts.store.ts'
import { NOT_BLOCKED } from '../vault/contacts.ts'
import type { StoredNotice } from './items.store.ts'
import { loadNames, type Names } from './people-names.ts'

export interface TimelineRequest {
  readonly conversation: ConversationId
  readonly me: AccountId
  /** From this position on; undefined: the newest page. */
  readonly from: number | undefined
  /** What was read when the timeline was opened. */
  readonly readBefore: number
  readonly typing: readonly AccountId[]
}

/** Items of a timeline before anybody asked for earlier ones. */
const PAGE = 60

/**
 * `from` is where it begins: a timeline that is open grows at its end and keeps its beginning. Not `full`: there were fewer items
 * than a page has, so it has no beginning to keep.
 */
export async function readTimeline(
  reader: Reader,
  request: TimelineRequest,
): Promise<{ readonly timeline: Timeline; readonly from: number; readonly full: boolean } | undefined> {
  const { conversation, me } = request
  if (!(await reader.get('select 1 as found from conversation where conversation = ?', [conversation]))) return undefined
  const names = await loadNames(reader)
  const newest =
    request.from === undefined ? await rowsBefore(reader, { conversation, before: Number.MAX_SAFE_INTEGER, count: PAGE }) : undefined
  const from = request.from ?? firstSeq(newest)
  // The outbox first: what moves into the log meanwhile is then seen twice, not missed.
  const waiting = await reader.all("select * from outbox where conversation = ? and kind = 'text' order by position", [conversation])
  const logged = await readLog(reader, { conversation, me, from, names })
  const isWhole = await hasRestored(reader, conversation)
  const messages = new Set(logged.map((item) => item.key))
  const self = names(me)
  const items = [
    ...logged.filter((item) => !(isWhole && saysItBegins(item))),
    ...waiting.map((row) => readWaiting(row, self)).filter((item) => !messages.has(item.key)),
  ]
  const earlier = await reader.get(
    `select 1 as found from item where conversation = ? and seq < ? and kind <> 'silent' and ${NOT_BLOCKED}`,
    [conversation, from],
  )
  const firstUnread = logged.find((item) => (item.seq ?? 0) > request.readBefore && item.kind === 'message' && !item.mine)?.key
  const typing = request.typing.map(names)
  return {
    timeline: { items, hasEarlier: earlier !== undefined, ...(firstUnread && { firstUnread }), typing },
    from,
    full: newest === undefined || newest.length === PAGE,
  }
}

async function readLog(
  reader: Reader,
  { conversation, me, from, names }: { conversation: ConversationId; me: AccountId; from: number; names: Names },
): Promise<readonly TimelineItem[]> {
  const progress = await othersProgress(reader, { conversation, me })
  const lost = await lostMessages(reader, conversation)
  const sql = `select * from item where conversation = ? and seq >= ? and kind <> 'silent' and ${NOT_BLOCKED} order by seq, part`
  return (await reader.all(sql, [conversation, from])).map((row) => readItem(row, { names, progress, lost }))
}

/** Whether what was written before this device came in has come after it, from the archive. */
async function hasRestored(reader: Reader, conversation: ConversationId): Promise<boolean> {
  const sql = "select 1 as found from item where conversation = ? and restored = 1 and kind = 'message' limit 1"
  return (await reader.get(sql, [conversation])) !== undefined
}

const saysItBegins = (item: TimelineItem): boolean => item.kind === 'notice' && item.notice.kind === 'history_begins'

interface Before {
  readonly conversation: ConversationId
  readonly before: number
  readonly count: number
}

/** The position at which `count` more items begin. */
export const positionBefore = async (reader: Reader, asked: Before): Promise<number> => firstSeq(await rowsBefore(reader, asked))

const rowsBefore = (reader: Reader, { conversation, before, count }: Before): Promise<readonly Row[]> =>
  reader.all(
    `select seq from item where conversation = ? and seq < ? and kind <> 'silent' and ${NOT_BLOCKED} order by seq desc, part desc limit ?`,
    [conversation, before, count],
  )

function firstSeq(rows: readonly Row[] | undefined): number {
  const last = rows?.at(-1)
  return last ? integer(last, 'seq') : 0
}

/** The position of a conversation up to which its person has read. What came from the archive was read at another device. */
export async function readPosition(reader: Reader, conversation: ConversationId): Promise<number> {
  const sql = `select max(read_seq, (select coalesce(max(seq), 0) from item where conversation = ?1 and restored = 1)) as read_seq
    from conversation where conversation = ?1`
  const row = await reader.get(sql, [conversation])
  return row ? integer(row, 'read_seq') : 0
}

export function stateOf(seq: number, progress: Progress | undefined): MessageState {
  if (progress && seq <= progress.read) return { kind: 'read' }
  return { kind: progress && seq <= progress.delivered ? 'delivered' : 'accepted' }
}

export function failedState(failed: string): MessageState {
  const reason = failureNames.find((name) => name === failed) ?? (failed === 'left' ? 'left' : 'internal')
  return { kind: 'failed', reason }
}

interface ItemContext {
  readonly names: Names
  readonly progress: Progress | undefined
  /** Messages that the server had and has to be given again. */
  readonly lost: ReadonlySet<MessageId>
}

function readItem(row: Row, { names, progress, lost }: ItemContext): TimelineItem {
  const [seq, time] = [integer(row, 'seq'), integer(row, 'time')]
  const key = optionalText(row, 'message') ?? `${seq}.${integer(row, 'part')}`
  const sender = row['account'] === null ? undefined : names(id(row, 'account', AccountId))
  if (row['kind'] === 'notice')
    return { kind: 'notice', key, time, ...(seq > 0 && { seq }), notice: readNotice(text(row, 'detail'), names) }
  if (row['kind'] === 'unreadable') return { kind: 'unreadable', key, time, seq, ...(sender && { sender }), reason: readReason(row) }
  if (!sender) throw storeError('damaged')
  const mine = row['mine'] === 1
  const message = id(row, 'message', MessageId)
  const onServer: MessageState = mine ? stateOf(seq, progress) : { kind: 'accepted' }
  const state: MessageState = mine && lost.has(message) ? { kind: 'sending' } : onServer
  return { kind: 'message', key, message, sender, mine, text: text(row, 'text'), time, seq, state }
}

function readWaiting(row: Row, self: Person): TimelineItem {
  const message = id(row, 'message', MessageId)
  const failed = optionalText(row, 'failed')
  const state: MessageState = failed === undefined ? { kind: 'sending' } : failedState(failed)
  return { kind: 'message', key: message, message, sender: self, mine: true, text: text(row, 'text'), time: integer(row, 'time'), state }
}

/** Stored by this device itself, so only the accounts are read again. */
const readNotice = (detail: string, names: Names): Notice => withNames(JSON.parse(detail) as StoredNotice, names)

/** A notice with its people's handles. */
export function withNames(stored: StoredNotice, names: Names): Notice {
  const people = Object.entries(stored).map(([field, value]) => [field, isPerson(field) ? names(AccountId.parse(value)) : value])
  return Object.fromEntries(people) as Notice
}

const isPerson = (field: string): boolean => field === 'person' || field === 'by'

const REASONS: readonly UnreadableReason[] = ['malformed', 'unsupported', 'auth_failed', 'policy', 'duplicate', 'stale_epoch', 'unknown']

const readReason = (row: Row): UnreadableReason => REASONS.find((reason) => reason === row['detail']) ?? 'unknown'
