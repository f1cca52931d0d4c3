/** Where a conversation goes on that is stuck: told by a member in the new one, and shown in the old one as that member's word. */
import { ConversationId, type AccountId } from '@tacit/contract'
import { findConversation } from '../conversations/conversation.store.ts'
import { loadRoster } from '../conversations/roster.store.ts'
import { text } from '../local-store/columns.ts'
import type { Reader, Writer } from '../local-store/driver.ts'
import { addItem, type StoredNotice } from './items.store.ts'

/** Adds the line to the conversation that was before, once; only for somebody who was in it as this device knows it. Resolves with whether they were. */
export async function tellContinuation(
  writer: Writer,
  told: { readonly before: ConversationId; readonly next: ConversationId; readonly by: AccountId; readonly time: number },
): Promise<boolean> {
  const { before: conversation, next, by, time } = told
  const state = await findConversation(writer, conversation)
  if (state?.kind !== 'group' || !(await loadRoster(writer, conversation)).some(({ account }) => account === by)) return false
  const notice: StoredNotice = { kind: 'continued', by, conversation: next }
  const known = "select 1 as found from item where conversation = ? and kind = 'notice' and detail = ?"
  if (await writer.get(known, [conversation, JSON.stringify(notice)])) return true
  await addItem(writer, { conversation, seq: state.cursor, time, item: { kind: 'notice', notice } })
  return true
}

/** By the newest word of a member; undefined: nobody has said that it goes on. */
export async function continuationOf(reader: Reader, conversation: ConversationId): Promise<ConversationId | undefined> {
  const sql = `select json_extract(detail, '$.conversation') as next from item
    where conversation = ? and kind = 'notice' and json_extract(detail, '$.kind') = 'continued' order by seq desc, part desc limit 1`
  const row = await reader.get(sql, [conversation])
  return row && ConversationId.safeParse(text(row, 'next')).data
}
