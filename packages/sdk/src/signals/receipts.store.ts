/** How far everybody is: one row per device, this one's included (what it said last). */
import { AccountId, ConversationId, type DeviceId } from '@tacit/contract'
import { id, integer } from '../local-store/columns.ts'
import type { Reader, Writer } from '../local-store/driver.ts'

export interface Progress {
  readonly delivered: number
  readonly read: number
}

/** Receipts only move forward. */
export const saveReceipt = (
  writer: Writer,
  row: { readonly conversation: ConversationId; readonly device: DeviceId; readonly account: AccountId } & Progress,
): Promise<void> =>
  writer.run(
    `insert into receipt (conversation, device, account, delivered, read) values (?, ?, ?, ?, ?)
     on conflict (conversation, device) do update set
       delivered = max(delivered, excluded.delivered), read = max(read, excluded.read)`,
    [row.conversation, row.device, row.account, row.delivered, row.read],
  )

/**
 * How far every other person is: the furthest device of each, the furthest-behind person of all. Undefined when nobody
 * else is in the conversation.
 */
export async function othersProgress(
  reader: Reader,
  { conversation, me }: { conversation: ConversationId; me: AccountId },
): Promise<Progress | undefined> {
  const row = await reader.get(
    `select min(delivered) as delivered, min(read) as read from (
       select member.account, coalesce(max(receipt.delivered), 0) as delivered, coalesce(max(receipt.read), 0) as read
       from member left join receipt on receipt.conversation = member.conversation and receipt.device = member.device
       where member.conversation = ? and member.account <> ? group by member.account)`,
    [conversation, me],
  )
  return row?.['delivered'] == null ? undefined : { delivered: integer(row, 'delivered'), read: integer(row, 'read') }
}

/** Conversations in which this device has news to tell: a message of others that it stored, or one that was read. Not before its person has taken them up. */
export async function owedReceipts(reader: Reader, device: DeviceId): Promise<readonly ConversationId[]> {
  const rows = await reader.all(
    `select conversation.conversation from conversation
     left join receipt on receipt.conversation = conversation.conversation and receipt.device = ?
     where standing = 'active' and admission = 'accepted' and (read_seq > coalesce(receipt.read, begins) or exists (
       select 1 from item where item.conversation = conversation.conversation and kind = 'message' and mine = 0 and restored = 0
       and seq > coalesce(receipt.delivered, begins)))`,
    [device],
  )
  return rows.map((row) => id(row, 'conversation', ConversationId))
}
