/** Every query on archives. */
import type { AccountId } from '@tacit/contract'
import type { Kysely, Selectable, Transaction } from 'kysely'
import type { Tables } from '../storage/tables.ts'

type Reader = Kysely<Tables>
type Writer = Transaction<Tables>

export const findHead = (db: Reader, account: AccountId): Promise<Selectable<Tables['archive']> | undefined> =>
  db.selectFrom('archive').selectAll().where('account', '=', account).executeTakeFirst()

/** A segment and the head's version, both of one moment. */
export const findSegment = (
  db: Reader,
  { account, number }: { account: AccountId; number: number },
): Promise<{ version: number; bytes: Uint8Array } | undefined> =>
  db
    .selectFrom('archive_segment')
    .innerJoin('archive', 'archive.account', 'archive_segment.account')
    .select(['archive.version', 'archive_segment.bytes'])
    .where('archive_segment.account', '=', account)
    .where('archive_segment.number', '=', number)
    .executeTakeFirst()

/** Bytes of all segments. */
export async function bytesUsed(db: Reader, account: AccountId): Promise<number> {
  const row = await db
    .selectFrom('archive_segment')
    .select((on) => on.fn.sum<number | string | null>('size').as('used'))
    .where('account', '=', account)
    .executeTakeFirst()
  return Number(row?.used ?? 0)
}

/** Only if `version` is the next one; says whether it was. Whoever comes second waits for the first, and is told. */
export async function replaceHead(tx: Writer, row: Selectable<Tables['archive']>): Promise<boolean> {
  const { account, version, head } = row
  if (version === 1) {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('archive')
      .values(row)
      .onConflict((on) => on.column('account').doNothing())
      .executeTakeFirst()
    return numInsertedOrUpdatedRows === 1n
  }
  const { numUpdatedRows } = await tx
    .updateTable('archive')
    .set({ version, head })
    .where('account', '=', account)
    .where('version', '=', version - 1)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

export const putSegment = (tx: Writer, row: Selectable<Tables['archive_segment']>) =>
  tx
    .insertInto('archive_segment')
    .values(row)
    .onConflict((on) => on.columns(['account', 'number']).doUpdateSet({ size: row.size, bytes: row.bytes }))
    .execute()

export const clearSegments = (tx: Writer, account: AccountId) => tx.deleteFrom('archive_segment').where('account', '=', account).execute()

export const dropSegments = (tx: Writer, { account, numbers }: { account: AccountId; numbers: readonly number[] }) =>
  tx.deleteFrom('archive_segment').where('account', '=', account).where('number', 'in', numbers).execute()

export async function dropArchive(tx: Writer, account: AccountId): Promise<void> {
  await tx.deleteFrom('archive_segment').where('account', '=', account).execute()
  await tx.deleteFrom('archive').where('account', '=', account).execute()
}
