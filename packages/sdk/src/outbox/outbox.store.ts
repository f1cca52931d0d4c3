/** What waits to be in the log: messages in the order they were written, and what is sealed of them. */
import { ConversationId, MessageId } from '@tacit/contract'
import { asContentKind, type ContentKind } from '../messages/payload.ts'
import { blob, id, integer, optionalBlob, optionalText, text } from '../local-store/columns.ts'
import type { Reader, Row, Writer } from '../local-store/driver.ts'
import { storeError } from '../local-store/failure.ts'

export interface Waiting {
  readonly message: MessageId
  readonly conversation: ConversationId
  readonly kind: ContentKind
  readonly text: string
  /** Milliseconds, when it was written. */
  readonly time: number
  /** Why the server refused it for good. */
  readonly failed: string | undefined
}

export const SEALED_KINDS = ['message', 'proposal', 'commit', 'join', 'nack'] as const
export type SealedKind = (typeof SEALED_KINDS)[number]

/** Sealed and stored before it was sent for the first time; sent again unchanged until its fate is known. */
export interface Sealed {
  readonly conversation: ConversationId
  readonly kind: SealedKind
  readonly clientSeq: number
  readonly epoch: number
  /** SHA-256 of the bytes. */
  readonly hash: Uint8Array
  readonly bytes: Uint8Array
  /** Of a message: which one. */
  readonly message: MessageId | undefined
  /** Of a commit or proposal: which intent it fulfils. */
  readonly intent: number | undefined
  /** Of a commit or join: the group once it is accepted. */
  readonly snapshot: Uint8Array | undefined
  /** Of a commit or join: welcome and group info (baggage.ts). */
  readonly baggage: Uint8Array | undefined
}

export const queueMessage = (writer: Writer, waiting: Omit<Waiting, 'failed'>): Promise<void> =>
  writer.run('insert into outbox (message, conversation, kind, text, time) values (?, ?, ?, ?, ?)', [
    waiting.message,
    waiting.conversation,
    waiting.kind,
    waiting.text,
    waiting.time,
  ])

/** The oldest message of a conversation that can go out. */
export async function nextWaiting(reader: Reader, conversation: ConversationId): Promise<Waiting | undefined> {
  const row = await reader.get('select * from outbox where conversation = ? and failed is null order by position limit 1', [conversation])
  return row && readWaiting(row)
}

/** Messages that somebody wrote and that can still go out. */
export async function countUnsent(reader: Reader): Promise<number> {
  const row = await reader.get("select count(*) as count from outbox where kind = 'text' and failed is null")
  return row ? integer(row, 'count') : 0
}

export async function findWaiting(reader: Reader, message: MessageId): Promise<Waiting | undefined> {
  const row = await reader.get('select * from outbox where message = ?', [message])
  return row && readWaiting(row)
}

export const failMessage = (writer: Writer, { message, reason }: { message: MessageId; reason: string }): Promise<void> =>
  writer.run('update outbox set failed = ? where message = ?', [reason, message])

/** Nothing of the conversation can be sent any more. */
export const failAll = (writer: Writer, { conversation, reason }: { conversation: ConversationId; reason: string }): Promise<void> =>
  writer.run('update outbox set failed = ? where conversation = ? and failed is null', [reason, conversation])

export const eraseWaiting = (writer: Writer, message: MessageId): Promise<void> =>
  writer.run('delete from outbox where message = ?', [message])

export async function findSealed(reader: Reader, conversation: ConversationId): Promise<Sealed | undefined> {
  const row = await reader.get('select * from sealed where conversation = ?', [conversation])
  return row && readSealed(row)
}

/** Refused by the database when the conversation has something sealed already: one at a time. */
export async function saveSealed(writer: Writer, sealed: Sealed): Promise<void> {
  await writer.run(
    `insert into sealed (conversation, kind, client_seq, epoch, hash, bytes, message, intent, snapshot, baggage)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      sealed.conversation,
      sealed.kind,
      sealed.clientSeq,
      sealed.epoch,
      sealed.hash,
      sealed.bytes,
      sealed.message ?? null,
      sealed.intent ?? null,
      sealed.snapshot ?? null,
      sealed.baggage ?? null,
    ],
  )
  const attempt = [sealed.conversation, sealed.hash, sealed.message ?? null]
  await writer.run('insert or ignore into attempt (conversation, hash, message) values (?, ?, ?)', attempt)
}

/** Not accepted: to be sealed anew. Its hash stays among the attempts. */
export const dropSealed = (writer: Writer, conversation: ConversationId): Promise<void> =>
  writer.run('delete from sealed where conversation = ?', [conversation])

/** Accepted: an entry of the log. */
export async function settleSealed(writer: Writer, conversation: ConversationId): Promise<void> {
  await dropSealed(writer, conversation)
  await writer.run('delete from attempt where conversation = ?', [conversation])
}

/** Whether these bytes were sealed here, and for which message. */
export async function findAttempt(
  reader: Reader,
  { conversation, hash }: { conversation: ConversationId; hash: Uint8Array },
): Promise<{ readonly message: MessageId | undefined } | undefined> {
  const row = await reader.get('select message from attempt where conversation = ? and hash = ?', [conversation, hash])
  return row && { message: row['message'] === null ? undefined : id(row, 'message', MessageId) }
}

/** Whether anything that this device wanted is not in a log yet. */
export async function hasUndone(reader: Reader): Promise<boolean> {
  const sql = `select 1 as found from outbox where failed is null union select 1 from sealed union select 1 from intent limit 1`
  return (await reader.get(sql)) !== undefined
}

/** Conversations in which something waits. */
export async function busyConversations(reader: Reader): Promise<readonly ConversationId[]> {
  const rows = await reader.all(
    `select conversation from outbox where failed is null union select conversation from sealed
     union select conversation from intent union select conversation from conversation where standing in ('joining', 'paused')`,
  )
  return rows.map((row) => id(row, 'conversation', ConversationId))
}

const readWaiting = (row: Row): Waiting => ({
  message: id(row, 'message', MessageId),
  conversation: id(row, 'conversation', ConversationId),
  kind: asContentKind(row['kind']) ?? 'text',
  text: text(row, 'text'),
  time: integer(row, 'time'),
  failed: optionalText(row, 'failed'),
})

export function readSealed(row: Row): Sealed {
  const kind = SEALED_KINDS.find((known) => known === row['kind'])
  if (!kind) throw storeError('damaged')
  return {
    conversation: id(row, 'conversation', ConversationId),
    kind,
    clientSeq: integer(row, 'client_seq'),
    epoch: integer(row, 'epoch'),
    hash: blob(row, 'hash'),
    bytes: blob(row, 'bytes'),
    message: row['message'] === null ? undefined : id(row, 'message', MessageId),
    intent: row['intent'] === null ? undefined : integer(row, 'intent'),
    snapshot: optionalBlob(row, 'snapshot'),
    baggage: optionalBlob(row, 'baggage'),
  }
}
