/** Every query on accounts. */
import { foldHandle, handleSkeleton, type AccountId } from '@tacit/contract'
import type { Kysely, Selectable, Transaction } from 'kysely'
import type { Tables } from '../storage/tables.ts'

type Reader = Kysely<Tables>
type Writer = Transaction<Tables>
export type AccountRow = Selectable<Tables['account']>

export const findAccount = (db: Reader, account: AccountId): Promise<AccountRow | undefined> =>
  db.selectFrom('account').selectAll().where('id', '=', account).executeTakeFirst()

/** By exact handle, in any case. */
export const findByHandle = (db: Reader, handle: string): Promise<AccountRow | undefined> =>
  db.selectFrom('account').selectAll().where('handle_folded', '=', foldHandle(handle)).executeTakeFirst()

/** The id alone, in one row whether or not there is one: a row less would tell by its time that nobody has the handle (M-28). */
export async function idByHandle(db: Reader, handle: string): Promise<AccountId | undefined> {
  const { id } = await db
    .selectNoFrom((from) => from.selectFrom('account').select('id').where('handle_folded', '=', foldHandle(handle)).as('id'))
    .executeTakeFirstOrThrow()
  return id ?? undefined
}

/** Whether somebody has this handle or one that looks like it. */
export async function isTaken(db: Reader, handle: string): Promise<boolean> {
  const row = await db.selectFrom('account').select('id').where('handle_skeleton', '=', handleSkeleton(handle)).executeTakeFirst()
  return row !== undefined
}

export const addAccount = (tx: Writer, row: AccountRow) => tx.insertInto('account').values(row).execute()

export const setSharesPresence = (tx: Writer, { account, shares }: { account: AccountId; shares: boolean }) =>
  tx
    .updateTable('account')
    .set({ shares_presence: shares ? 1 : 0 })
    .where('id', '=', account)
    .execute()

export async function anyAccount(db: Reader): Promise<boolean> {
  return (await db.selectFrom('account').select('id').limit(1).executeTakeFirst()) !== undefined
}
