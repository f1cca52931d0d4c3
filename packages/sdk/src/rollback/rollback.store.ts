/**
 * What a device keeps for the day on which the server has lost the end of a log: its own entries as they were sent, and,
 * once that day has come, what it had taken of the lost end.
 */
import { MessageId, type ConversationId } from '@tacit/contract'
import { blob, id, integer } from '../local-store/columns.ts'
import type { Reader, Writer } from '../local-store/driver.ts'
import { readSealed, type Sealed } from '../outbox/outbox.store.ts'

/** Own entries of a conversation that are kept. */
const KEPT = 1000

/** A place in the log. */
interface At {
  readonly conversation: ConversationId
  readonly seq: number
}

/** What is sealed is in the log now, and is kept in case that it has to be offered again. Before `settleSealed`. */
export async function keepOffered(writer: Writer, { conversation, seq, hash }: At & { readonly hash: Uint8Array }): Promise<void> {
  await writer.run(
    `insert or replace into offered (conversation, client_seq, seq, kind, epoch, hash, bytes, message, baggage)
     select conversation, client_seq, ?, kind, epoch, hash, bytes, message, baggage from sealed where conversation = ? and hash = ?`,
    [seq, conversation, hash],
  )
  await writer.run(
    'delete from offered where conversation = ?1 and client_seq <= (select max(client_seq) from offered where conversation = ?1) - ?2',
    [conversation, KEPT],
  )
}

/** The first own entry after a counter, to be offered again. */
export async function nextOffered(reader: Reader, conversation: ConversationId, after: number): Promise<Sealed | undefined> {
  const sql =
    'select *, null as intent, null as snapshot from offered where conversation = ? and client_seq > ? order by client_seq limit 1'
  const row = await reader.get(sql, [conversation, after])
  return row && readSealed(row)
}

/** It has its place again. */
export const placeOffered = (writer: Writer, { conversation, seq, hash }: At & { readonly hash: Uint8Array }): Promise<void> =>
  writer.run('update offered set seq = ? where conversation = ? and hash = ?', [seq, conversation, hash])

/** The counter before the first own entry that is kept of those after a position; undefined when none of them was lost. */
export async function counterBefore(reader: Reader, { conversation, seq }: At): Promise<number | undefined> {
  const row = await reader.get('select min(client_seq) as first from offered where conversation = ? and seq > ?', [conversation, seq])
  return row?.['first'] == null ? undefined : integer(row, 'first') - 1
}

/**
 * Everything after `seq` is remembered as lost. Its items gather at `seq`, in their order, before whatever comes there next;
 * what others said about positions is about other entries now.
 */
export async function forgetAfter(writer: Writer, { conversation, seq }: At): Promise<void> {
  await writer.run(
    `insert or ignore into lost_entry (conversation, hash, message)
     select transcript.conversation, entry,
       (select message from item where item.conversation = transcript.conversation and item.seq = transcript.seq and message is not null)
     from transcript where transcript.conversation = ? and seq > ? and entry is not null`,
    [conversation, seq],
  )
  const rows = await writer.all('select seq, part from item where conversation = ? and seq > ? order by seq, part', [conversation, seq])
  for (const row of rows) {
    await writer.run(
      `update item set seq = ?2, part = (select coalesce(max(part) + 1, 0) from item where conversation = ?1 and seq = ?2)
       where conversation = ?1 and seq = ?3 and part = ?4`,
      [conversation, seq, integer(row, 'seq'), integer(row, 'part')],
    )
  }
  await writer.run('delete from transcript where conversation = ? and seq > ?', [conversation, seq])
  for (const table of ['counter', 'receipt']) await writer.run(`delete from ${table} where conversation = ?`, [conversation])
}

export const noteRollback = (writer: Writer, conversation: ConversationId, time: number): Promise<void> =>
  writer.run('insert or replace into rollback (conversation, since) values (?, ?)', [conversation, time])

/** When the rollback was noticed that this conversation is not over yet, in milliseconds. */
export async function rollbackSince(reader: Reader, conversation: ConversationId): Promise<number | undefined> {
  const row = await reader.get('select since from rollback where conversation = ?', [conversation])
  return row && integer(row, 'since')
}

/** What was lost and is known to this device. */
export interface LostEntry {
  readonly message: MessageId | undefined
}

export async function findLost(reader: Reader, conversation: ConversationId, hash: Uint8Array): Promise<LostEntry | undefined> {
  const row = await reader.get('select message from lost_entry where conversation = ? and hash = ?', [conversation, hash])
  return row && { message: row['message'] === null ? undefined : id(row, 'message', MessageId) }
}

export async function isLostMessage(reader: Reader, conversation: ConversationId, message: MessageId): Promise<boolean> {
  return (
    (await reader.get('select 1 as found from lost_entry where conversation = ? and message = ?', [conversation, message])) !== undefined
  )
}

export async function anyLost(reader: Reader, conversation: ConversationId): Promise<boolean> {
  return (await reader.get('select 1 as found from lost_entry where conversation = ? limit 1', [conversation])) !== undefined
}

/** Messages of a conversation that the server has lost. */
export async function lostMessages(reader: Reader, conversation: ConversationId): Promise<ReadonlySet<MessageId>> {
  const rows = await reader.all('select message from lost_entry where conversation = ? and message is not null', [conversation])
  return new Set(rows.map((row) => id(row, 'message', MessageId)))
}

/** A lost message is in the log again: it moves to where everybody has it. */
export async function moveItem(
  writer: Writer,
  { conversation, seq, message, time }: At & { readonly message: MessageId; readonly time: number },
): Promise<void> {
  await writer.run(
    `update item set seq = ?2, time = ?4, part = (select coalesce(max(part) + 1, 0) from item where conversation = ?1 and seq = ?2)
     where conversation = ?1 and message = ?3`,
    [conversation, seq, message, time],
  )
  await writer.run('delete from lost_entry where conversation = ? and message = ?', [conversation, message])
}

export const eraseLost = (writer: Writer, conversation: ConversationId, hash: Uint8Array): Promise<void> =>
  writer.run('delete from lost_entry where conversation = ? and hash = ?', [conversation, hash])

/**
 * Own entries after a counter cannot be offered as they were. The messages among them go back to the outbox, in front of
 * what waits there, under their ids; commits are history.
 */
export async function sealAnew(writer: Writer, conversation: ConversationId, after: number): Promise<void> {
  const rows = await writer.all(
    `select item.message, item.text, item.time from offered join item on item.conversation = offered.conversation and item.message = offered.message
     where offered.conversation = ? and offered.client_seq > ? and item.kind = 'message' order by offered.client_seq desc`,
    [conversation, after],
  )
  for (const row of rows) {
    const message = id(row, 'message', MessageId)
    await writer.run(
      `insert into outbox (position, message, conversation, kind, text, time)
       values ((select coalesce(min(position), 0) - 1 from outbox), ?, ?, 'text', ?, ?)`,
      [message, conversation, row['text'] ?? '', integer(row, 'time')],
    )
    await writer.run('delete from item where conversation = ? and message = ?', [conversation, message])
    await writer.run('delete from lost_entry where conversation = ? and message = ?', [conversation, message])
  }
  await writer.run('delete from offered where conversation = ? and client_seq > ?', [conversation, after])
}

/** Hashes of the entries that this device has taken, by position. */
export async function knownHashes(reader: Reader, { conversation, seq }: At): Promise<ReadonlyMap<number, Uint8Array>> {
  const rows = await reader.all('select seq, entry from transcript where conversation = ? and seq >= ? and entry is not null', [
    conversation,
    seq,
  ])
  return new Map(rows.map((row) => [integer(row, 'seq'), blob(row, 'entry')]))
}
