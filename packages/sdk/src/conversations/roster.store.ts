/** The members of each conversation, beside the group they were read from, so that screens need no cryptography. */
import { AccountId, type ConversationId, DeviceId, type Roster, type RosterEntry } from '@tacit/contract'
import { id, integer } from '../local-store/columns.ts'
import type { Reader, Writer } from '../local-store/driver.ts'

/** Writes only what changed: a commit in a group of a thousand touches a few rows. */
export async function saveRoster(
  writer: Writer,
  { conversation, roster }: { conversation: ConversationId; roster: Roster },
): Promise<void> {
  const before = new Map((await loadRoster(writer, conversation)).map((entry) => [entry.device, entry]))
  for (const entry of roster.entries) {
    const known = before.get(entry.device)
    before.delete(entry.device)
    if (known && known.leaf === entry.leaf && known.admin === entry.admin && known.account === entry.account) continue
    await writer.run(
      `insert into member (conversation, device, account, leaf, admin) values (?, ?, ?, ?, ?)
       on conflict (conversation, device) do update set account = excluded.account, leaf = excluded.leaf, admin = excluded.admin`,
      [conversation, entry.device, entry.account, entry.leaf, entry.admin ? 1 : 0],
    )
  }
  for (const device of before.keys()) {
    await writer.run('delete from member where conversation = ? and device = ?', [conversation, device])
    await writer.run('delete from receipt where conversation = ? and device = ?', [conversation, device])
  }
}

/** In leaf order. */
export async function loadRoster(reader: Reader, conversation: ConversationId): Promise<readonly RosterEntry[]> {
  const rows = await reader.all('select device, account, leaf, admin from member where conversation = ? order by leaf', [conversation])
  return rows.map((row) => ({
    device: id(row, 'device', DeviceId),
    account: id(row, 'account', AccountId),
    leaf: integer(row, 'leaf'),
    admin: row['admin'] === 1,
  }))
}

/** Whose device it is; undefined when it is no member's. */
export async function memberAccount(
  reader: Reader,
  { conversation, device }: { conversation: ConversationId; device: DeviceId },
): Promise<AccountId | undefined> {
  const row = await reader.get('select account from member where conversation = ? and device = ?', [conversation, device])
  return row && id(row, 'account', AccountId)
}
