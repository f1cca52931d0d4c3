/** Every query on key packages. */
import type { AccountId, DeviceId } from '@tacit/contract'
import type { Insertable, Kysely, Transaction } from 'kysely'
import type { Tables } from '../storage/tables.ts'

type Reader = Kysely<Tables>
type Writer = Transaction<Tables>
export interface Claimed {
  readonly device: DeviceId
  readonly bytes: Uint8Array
}

export const addPackages = (tx: Writer, rows: Insertable<Tables['key_package']>[]) => tx.insertInto('key_package').values(rows).execute()

/** One upload of a device after the other, so that together they stay within its limit. */
export const lockUploads = (tx: Writer, device: DeviceId) =>
  tx.selectFrom('key_package').select('id').where('device', '=', device).where('last_resort', '=', 1).forUpdate().execute()

export const dropLastResort = (tx: Writer, device: DeviceId) =>
  tx.deleteFrom('key_package').where('device', '=', device).where('last_resort', '=', 1).execute()

export const dropPackagesOf = (tx: Writer, devices: readonly DeviceId[]) =>
  tx.deleteFrom('key_package').where('device', 'in', devices).execute()

export async function countOneTime(db: Reader, device: DeviceId): Promise<number> {
  const { count } = await db
    .selectFrom('key_package')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('device', '=', device)
    .where('last_resort', '=', 0)
    .executeTakeFirstOrThrow()
  return count
}

export async function anyKnown(db: Reader, hashes: readonly Uint8Array[]): Promise<boolean> {
  return (await db.selectFrom('key_package').select('id').where('hash', 'in', hashes).limit(1).executeTakeFirst()) !== undefined
}

/** Takes the oldest one-time package of each device out; of two who come at once each gets another one. */
export async function takeOneTime(
  tx: Writer,
  { account, devices }: { account: AccountId; devices: readonly DeviceId[] },
): Promise<Claimed[]> {
  const taken: Claimed[] = []
  for (const device of devices) {
    const oldest = await tx
      .deleteFrom('key_package')
      .where('id', '=', ({ selectFrom }) =>
        selectFrom('key_package')
          .select('id')
          .where('account', '=', account)
          .where('device', '=', device)
          .where('last_resort', '=', 0)
          .orderBy('id')
          .limit(1)
          .forUpdate()
          .skipLocked(),
      )
      .returning(['device', 'bytes'])
      .executeTakeFirst()
    if (oldest) taken.push(oldest)
  }
  return taken
}

export const lastResortsOf = (tx: Reader, { account, devices }: { account: AccountId; devices: readonly DeviceId[] }): Promise<Claimed[]> =>
  tx
    .selectFrom('key_package')
    .select(['device', 'bytes'])
    .where('account', '=', account)
    .where('device', 'in', devices)
    .where('last_resort', '=', 1)
    .execute()
