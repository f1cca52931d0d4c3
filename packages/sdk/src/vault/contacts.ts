/**
 * People as this person sees them: by a name of their own, blocked, compared. In the vault's part `people`, and from there in a table
 * of this device that lists and timelines are read with.
 *
 * Names of values: `name/<account>` text · `block/<account>` when (ms) · `same/<account>` the account key that was compared ·
 * `handle/<account>` what they are called by everybody, for devices that have not met them.
 */
import { AccountId, type CborValue } from '@tacit/contract'
import { id, integer, text } from '../local-store/columns.ts'
import type { Reader, Writer } from '../local-store/driver.ts'
import { valuesUnder } from './values.store.ts'

export const nameOf = (account: AccountId) => `name/${account}`
export const blockOf = (account: AccountId) => `block/${account}`
export const handleOf = (account: AccountId) => `handle/${account}`
export const sameOf = (account: AccountId) => `same/${account}`

/** Makes the table say what the values say. */
export async function settleContacts(writer: Writer): Promise<void> {
  await writer.run('delete from contact')
  await writer.run('update person set compared_key = null')
  for (const { name, value } of await valuesUnder(writer, 'people', '')) {
    const [what, account] = name.split('/')
    const whose = AccountId.safeParse(account).data
    if (whose) await settleContact(writer, { what: what ?? '', account: whose, value })
  }
}

async function settleContact(writer: Writer, given: { what: string; account: AccountId; value: CborValue | undefined }): Promise<void> {
  const { what, account, value } = given
  if (what === 'name' && typeof value === 'string')
    await writer.run('insert into contact (account, nickname) values (?1, ?2) on conflict (account) do update set nickname = ?2', [
      account,
      value,
    ])
  if (what === 'handle' && typeof value === 'string')
    await writer.run('insert into contact (account, handle) values (?1, ?2) on conflict (account) do update set handle = ?2', [
      account,
      value,
    ])
  if (what === 'block' && typeof value === 'number')
    await writer.run('insert into contact (account, blocked) values (?1, ?2) on conflict (account) do update set blocked = ?2', [
      account,
      value,
    ])
  if (what === 'same' && value instanceof Uint8Array) {
    await writer.run('insert into contact (account, compared_key) values (?1, ?2) on conflict (account) do update set compared_key = ?2', [
      account,
      value,
    ])
    await writer.run('update person set compared_key = ? where account = ?', [value, account])
  }
}

export async function isBlocked(reader: Reader, account: AccountId): Promise<boolean> {
  return (await reader.get('select 1 as found from contact where account = ? and blocked is not null', [account])) !== undefined
}

/** Names of one's own, by account. */
export async function nicknames(reader: Reader): Promise<ReadonlyMap<AccountId, string>> {
  const rows = await reader.all('select account, nickname from contact where nickname is not null')
  return new Map(rows.map((row) => [id(row, 'account', AccountId), text(row, 'nickname')]))
}

/** SQL: not said by somebody after they were blocked. Of the table `item`. */
export const NOT_BLOCKED =
  'not exists (select 1 from contact where contact.account = item.account and contact.blocked is not null and item.time >= contact.blocked)'

/** Whether a conversation was begun by somebody who was blocked then: it does not show. */
export async function isFromBlocked(
  reader: Reader,
  { conversation, peer }: { conversation: string; peer: AccountId | undefined },
): Promise<boolean> {
  const blocked = peer && (await reader.get('select blocked from contact where account = ? and blocked is not null', [peer]))
  if (blocked) {
    const sql = 'select 1 as found from item where conversation = ? and (mine = 1 or time < ?) limit 1'
    return (await reader.get(sql, [conversation, integer(blocked, 'blocked')])) === undefined
  }
  if (peer) return false
  const sql = `select 1 as found from item join contact on contact.blocked is not null and item.time >= contact.blocked
      and json_extract(item.detail, '$.by') = contact.account
    where item.conversation = ?1 and item.kind = 'notice' and json_extract(item.detail, '$.kind') in ('created', 'joined')
      and item.seq = (select min(seq) from item where conversation = ?1 and kind = 'notice')
      and not exists (select 1 from item as own where own.conversation = ?1 and own.mine = 1) limit 1`
  return (await reader.get(sql, [conversation])) !== undefined
}

export async function blockedAccounts(reader: Reader): Promise<ReadonlySet<AccountId>> {
  return new Set((await reader.all('select account from contact where blocked is not null')).map((row) => id(row, 'account', AccountId)))
}

/** What a person is called on this account's screens. */
export const calledBy = ({ nickname, handle }: { readonly nickname?: string; readonly handle: string }): string => nickname ?? handle
