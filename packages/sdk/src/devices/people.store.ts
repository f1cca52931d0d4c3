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

export async function findPin(reader: Reader, account: AccountId): Promise<Pin | undefined> {
  const row = await reader.get('select * from person where account = ?', [account])
  return row && readPin(row)
}

export async function findPinByHandle(reader: Reader, handle: string): Promise<Pin | undefined> {
  const row = await reader.get('select * from person where lower(handle) = lower(?)', [handle])
  return row && readPin(row)
}

export const savePin = (writer: Writer, pin: Pin): Promise<void> =>
  writer.run(
    `insert into person (account, handle, account_key, list_version, list_hash, list) values (?, ?, ?, ?, ?, ?)
     on conflict (account) do update set handle = excluded.handle, list_version = excluded.list_version,
       list_hash = excluded.list_hash, list = excluded.list`,
    [pin.account, pin.handle, pin.accountKey, pin.listVersion, pin.listHash, pin.list],
  )

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
