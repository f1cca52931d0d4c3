/** What timelines are made of: messages in the log, notices, and placeholders for what could not be read. */
import { type AccountId, type ConversationId, type MessageId } from '@tacit/contract'
import type { NoticeOfAccounts, UnreadableReason } from '../api.ts'
import { isForgotten } from '../archive/archive.store.ts'
import type { Reader, Writer } from '../local-store/driver.ts'

/** A notice with people by account; their handles are joined when it is shown. */
export type StoredNotice = NoticeOfAccounts

export type NewItem =
  | { readonly kind: 'message'; readonly message: MessageId; readonly account: AccountId; readonly mine: boolean; readonly text: string }
  /** A message without words of its own: a title. Kept so that its id is known when it comes again. */
  | { readonly kind: 'silent'; readonly message: MessageId; readonly account: AccountId }
  | { readonly kind: 'notice'; readonly notice: StoredNotice }
  | { readonly kind: 'unreadable'; readonly reason: UnreadableReason; readonly account: AccountId | undefined }

/** Adds an item at a position of the log, after those that are there. */
export async function addItem(
  writer: Writer,
  { conversation, seq, time, item: given }: { conversation: ConversationId; seq: number; time: number; item: NewItem },
): Promise<void> {
  await replaceRestored(writer, { conversation, seq, item: given })
  const isGone = given.kind === 'message' && (await isForgotten(writer, conversation, given.message))
  const item: NewItem = isGone ? { kind: 'silent', message: given.message, account: given.account } : given
  const row = columnsOf(item)
  await writer.run(
    `insert into item (conversation, seq, part, kind, message, account, mine, text, detail, time)
     values (?1, ?2, (select coalesce(max(part) + 1, 0) from item where conversation = ?1 and seq = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9)`,
    [conversation, seq, item.kind, row.message, row.account, row.mine, row.text, row.detail, time],
  )
}

/** Whether a message is in the log, whether it is shown or not. */
export async function hasMessage(
  reader: Reader,
  { conversation, message }: { readonly conversation: ConversationId; readonly message: MessageId },
): Promise<boolean> {
  return (await reader.get('select 1 as found from item where conversation = ? and message = ?', [conversation, message])) !== undefined
}

/**
 * What is told of a beginning bears this device's time, because nobody says when it was added. It may have been away for long since: the
 * first entry after it was there no earlier.
 */
export async function dateBeginning(writer: Writer, at: { conversation: ConversationId; seq: number; time: number }): Promise<void> {
  const sql = "update item set time = ?3 where conversation = ?1 and seq = ?2 and kind <> 'message' and time > ?3"
  await writer.run(sql, [at.conversation, at.seq, at.time])
}

/** The same item from the archive came first: the log is where it belongs. */
async function replaceRestored(
  writer: Writer,
  { conversation, seq, item }: { conversation: ConversationId; seq: number; item: NewItem },
): Promise<void> {
  if (item.kind === 'message')
    await writer.run('delete from item where conversation = ? and message = ? and restored = 1', [conversation, item.message])
  if (item.kind === 'notice')
    await writer.run("delete from item where conversation = ? and seq = ? and kind = 'notice' and detail = ? and restored = 1", [
      conversation,
      seq,
      JSON.stringify(item.notice),
    ])
}

const nothing = { message: null, account: null, mine: 0, text: null, detail: null }

function columnsOf(item: NewItem) {
  switch (item.kind) {
    case 'message':
      return { ...nothing, message: item.message, account: item.account, mine: item.mine ? 1 : 0, text: item.text }
    case 'silent':
      return { ...nothing, message: item.message, account: item.account }
    case 'notice':
      return { ...nothing, detail: JSON.stringify(item.notice) }
    case 'unreadable':
      return { ...nothing, account: item.account ?? null, detail: item.reason }
  }
}
