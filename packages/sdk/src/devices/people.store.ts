/** Everybody whose account key this device has pinned, and the newest device list it has verified of them. */
import { AccountId } from '@tacit/contract'
import { blob, id, integer, text } from '../local-store/columns.ts'
import type { Reader, Row, Writer } from '../local-store/driver.ts'

export interface Pin {
  readonly account: AccountId
  readonly handle: string
  readonly accountKey: Uint8Array
  /** 0 when no list of this account was ever seen. */
  readonly listVersion: number
  readonly listHash: Uint8Array
  readonly list: Uint8Array
}

/** SQL: whether the person compared the key that is pinned. */
export const IS_COMPARED = 'compared_key is account_key'

export async function findPin(reader: Reader, account: AccountId): Promise<Pin | undefined> {
  const row = await reader.get('select * from person where account = ?', [account])
  return row && readPin(row)
}

export async function findPinByHandle(reader: Reader, handle: string): Promise<Pin | undefined> {
  const row = await reader.get('select * from person where lower(handle) = lower(?)', [handle])
  return row && readPin(row)
}

/** Pins, or brings up to date. Another account key takes the place of the one before, which is remembered as a former one. */
export async function savePin(writer: Writer, pin: Pin): Promise<void> {
  const { account, handle, accountKey, listVersion, listHash, list } = pin
  const former = await writer.get('select account_key from person where account = ? and account_key <> ?', [account, accountKey])
  if (former) await rememberFormerKey(writer, { account, accountKey: blob(former, 'account_key') })
  await writer.run(
    `insert into person (account, handle, account_key, list_version, list_hash, list) values (?, ?, ?, ?, ?, ?)
     on conflict (account) do update set handle = excluded.handle, account_key = excluded.account_key, list_version = excluded.list_version,
       list_hash = excluded.list_hash, list = excluded.list, conflict = case when account_key is excluded.account_key then conflict else 0 end`,
    [account, handle, accountKey, listVersion, listHash, list],
  )
  // Another own device may have compared them before this one met them.
  await writer.run(
    'update person set compared_key = (select compared_key from contact where contact.account = person.account) where account = ? and compared_key is null',
    [account],
  )
}

/** A key that was this account's before it was reset: leaves under it are withdrawn, and an honest part of the past. */
export const rememberFormerKey = (writer: Writer, { account, accountKey }: Pick<Pin, 'account' | 'accountKey'>): Promise<void> =>
  writer.run('insert into former_key (account, key) values (?, ?) on conflict (account, key) do nothing', [account, accountKey])

export async function wasKeyOf(reader: Reader, { account, accountKey }: Pick<Pin, 'account' | 'accountKey'>): Promise<boolean> {
  return (await reader.get('select 1 as found from former_key where account = ? and key = ?', [account, accountKey])) !== undefined
}

export async function isCompared(reader: Reader, account: AccountId): Promise<boolean> {
  return (await reader.get(`select 1 as found from person where account = ? and ${IS_COMPARED}`, [account])) !== undefined
}

/** Everybody whose key was compared. */
export async function comparedAccounts(reader: Reader): Promise<ReadonlySet<AccountId>> {
  return new Set((await reader.all(`select account from person where ${IS_COMPARED}`)).map((row) => id(row, 'account', AccountId)))
}

/** Somebody presented another account key for this account. True the first time. */
export async function markConflict(writer: Writer, account: AccountId): Promise<boolean> {
  const row = await writer.get('select conflict from person where account = ?', [account])
  await writer.run('update person set conflict = 1 where account = ?', [account])
  return row?.['conflict'] === 0
}

const readPin = (row: Row): Pin => ({
  account: id(row, 'account', AccountId),
  handle: text(row, 'handle'),
  accountKey: blob(row, 'account_key'),
  listVersion: integer(row, 'list_version'),
  listHash: blob(row, 'list_hash'),
  list: blob(row, 'list'),
})
