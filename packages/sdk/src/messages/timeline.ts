/** A conversation's timeline as it is on disk: the newest items of the log, then what waits in the outbox. */
import { AccountId, failureNames, MessageId, type ConversationId } from '@tacit/contract'
import type { MessageState, Notice, Person, Timeline, TimelineItem, UnreadableReason } from '../api.ts'
import { id, integer, optionalText, text } from '../local-store/columns.ts'
import type { Reader, Row } from '../local-store/driver.ts'
import { storeError } from '../local-store/failure.ts'
import { othersProgress, type Progress } from '../signals/receipts.store.ts'
import type { StoredNotice } from './items.store.ts'
import { loadNames, type Names } from './people-names.ts'

export interface TimelineRequest {
  readonly conversation: ConversationId
  readonly me: AccountId
  /** How many of the newest items of the log. */
  readonly count: number
  /** What was read when the timeline was opened. */
  readonly readBefore: number
  readonly typing: readonly AccountId[]
}

export async function readTimeline(reader: Reader, request: TimelineRequest): Promise<Timeline | undefined> {
  const { conversation, me, count } = request
  if (!(await reader.get('select 1 as found from conversation where conversation = ?', [conversation]))) return undefined
  const names = await loadNames(reader)
  const rows = await reader.all("select * from item where conversation = ? and kind <> 'silent' order by seq desc, part desc limit ?", [
    conversation,
    count + 1,
  ])
  const progress = await othersProgress(reader, { conversation, me })
  const logged = rows
    .slice(0, count)
    .toReversed()
    .map((row) => readItem(row, { names, progress }))
  const waiting = await reader.all("select * from outbox where conversation = ? and kind = 'text' order by position", [conversation])
  const self = names(me)
  const items = [...logged, ...waiting.map((row) => readWaiting(row, self))]
  const firstUnread = logged.find((item) => (item.seq ?? 0) > request.readBefore && item.kind === 'message' && !item.mine)?.key
  return { items, hasEarlier: rows.length > count, ...(firstUnread && { firstUnread }), typing: request.typing.map(names) }
}

/** The position of a conversation up to which its person has read. */
export async function readPosition(reader: Reader, conversation: ConversationId): Promise<number> {
  const row = await reader.get('select read_seq from conversation where conversation = ?', [conversation])
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

function readItem(row: Row, { names, progress }: { names: Names; progress: Progress | undefined }): TimelineItem {
  const [seq, time] = [integer(row, 'seq'), integer(row, 'time')]
  const key = optionalText(row, 'message') ?? `${seq}.${integer(row, 'part')}`
  const sender = row['account'] === null ? undefined : names(id(row, 'account', AccountId))
  if (row['kind'] === 'notice')
    return { kind: 'notice', key, time, ...(seq > 0 && { seq }), notice: readNotice(text(row, 'detail'), names) }
  if (row['kind'] === 'unreadable') return { kind: 'unreadable', key, time, seq, ...(sender && { sender }), reason: readReason(row) }
  if (!sender) throw storeError('damaged')
  const mine = row['mine'] === 1
  const state: MessageState = mine ? stateOf(seq, progress) : { kind: 'accepted' }
  return { kind: 'message', key, message: id(row, 'message', MessageId), sender, mine, text: text(row, 'text'), time, seq, state }
}

function readWaiting(row: Row, self: Person): TimelineItem {
  const message = id(row, 'message', MessageId)
  const failed = optionalText(row, 'failed')
  const state: MessageState = failed === undefined ? { kind: 'sending' } : failedState(failed)
  return { kind: 'message', key: message, message, sender: self, mine: true, text: text(row, 'text'), time: integer(row, 'time'), state }
}

/** Stored by this device itself, so only the accounts are read again. */
function readNotice(detail: string, names: Names): Notice {
  const stored = JSON.parse(detail) as StoredNotice
  const people = Object.entries(stored).map(([field, value]) => [field, isPerson(field) ? names(AccountId.parse(value)) : value])
  return Object.fromEntries(people) as Notice
}

const isPerson = (field: string): boolean => field === 'person' || field === 'by'

const REASONS: readonly UnreadableReason[] = ['malformed', 'unsupported', 'auth_failed', 'policy', 'duplicate', 'stale_epoch', 'unknown']

const readReason = (row: Row): UnreadableReason => REASONS.find((reason) => reason === row['detail']) ?? 'unknown'
