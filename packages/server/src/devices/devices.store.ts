/** Every query on devices and their signed lists. */
import type { AccountId, DeviceId } from '@tacit/contract'
import type { Insertable, Kysely, Selectable, Transaction } from 'kysely'
import type { Tables } from '../storage/tables.ts'

type Reader = Kysely<Tables>
type Writer = Transaction<Tables>
export type DeviceListRow = Selectable<Tables['device_list']>
export type DeviceRow = Selectable<Tables['device']>

export const findList = (db: Reader, account: AccountId): Promise<DeviceListRow | undefined> =>
  db.selectFrom('device_list').selectAll().where('account', '=', account).executeTakeFirst()

/** Until the transaction ends nobody else changes it. */
export const lockList = (tx: Writer, account: AccountId): Promise<DeviceListRow | undefined> =>
  tx.selectFrom('device_list').selectAll().where('account', '=', account).forUpdate().executeTakeFirst()

export const putList = (tx: Writer, row: DeviceListRow) =>
  tx
    .insertInto('device_list')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('account').doUpdateSet({ version: row.version, account_key: row.account_key, hash: row.hash, bytes: row.bytes }),
    )
    .execute()

export const findDevice = (db: Reader, device: DeviceId): Promise<DeviceRow | undefined> =>
  db.selectFrom('device').selectAll().where('id', '=', device).executeTakeFirst()

/** A device on its account's current list, with the key that signed the list. */
export const findListed = (db: Reader, { account, device }: { account: AccountId; device: DeviceId }) =>
  db
    .selectFrom('device')
    .innerJoin('device_list', 'device_list.account', 'device.account')
    .select(['device.signature_key', 'device_list.account_key'])
    .where('device.id', '=', device)
    .where('device.account', '=', account)
    .where('device.removed_at', 'is', null)
    .executeTakeFirst()

/** Devices on the account's current list. */
export const listedDevices = (db: Reader, account: AccountId): Promise<DeviceRow[]> =>
  db.selectFrom('device').selectAll().where('account', '=', account).where('removed_at', 'is', null).orderBy('id').execute()

export const addDevice = (tx: Writer, row: Insertable<Tables['device']>) => tx.insertInto('device').values(row).execute()

export const markRemoved = (tx: Writer, { devices, at }: { devices: readonly DeviceId[]; at: number }) =>
  tx.updateTable('device').set({ removed_at: at }).where('id', 'in', devices).execute()

/** The next number for a socket of the device. */
export async function nextLine(tx: Writer, device: DeviceId): Promise<number> {
  const row = await tx
    .updateTable('device')
    .set(({ eb }) => ({ line: eb('line', '+', 1) }))
    .where('id', '=', device)
    .returning('line')
    .executeTakeFirst()
  return row?.line ?? 0
}

/** The number of the newest socket of each device. */
export const newestLines = (db: Reader, devices: readonly DeviceId[]): Promise<Pick<DeviceRow, 'id' | 'line'>[]> =>
  db.selectFrom('device').select(['id', 'line']).where('id', 'in', devices).execute()
