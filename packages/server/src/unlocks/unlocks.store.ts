/** Every query on recovery kits and the operator's codes. */
import type { AccountId, UnlockId } from '@tacit/contract'
import type { Kysely, Selectable, Transaction } from 'kysely'
import type { Tables } from '../storage/tables.ts'

type Reader = Kysely<Tables>
type Writer = Transaction<Tables>
export type KitRow = Selectable<Tables['kit_credential']>

export const kitOf = (db: Reader, account: AccountId): Promise<KitRow | undefined> =>
  db.selectFrom('kit_credential').selectAll().where('account', '=', account).executeTakeFirst()

export const findKit = (db: Reader, id: UnlockId): Promise<KitRow | undefined> =>
  db.selectFrom('kit_credential').selectAll().where('id', '=', id).executeTakeFirst()

export const addKit = (tx: Writer, row: KitRow) => tx.insertInto('kit_credential').values(row).execute()

/** Takes the account's kit out and remembers that it was one. */
export async function retireKit(tx: Writer, { account, at }: { account: AccountId; at: number }): Promise<UnlockId | undefined> {
  const kit = await tx.deleteFrom('kit_credential').where('account', '=', account).returning('id').executeTakeFirst()
  if (kit) await tx.insertInto('replaced_kit').values({ id: kit.id, account, replaced_at: at }).execute()
  return kit?.id
}

export const findReplacedKit = (db: Reader, id: UnlockId): Promise<Selectable<Tables['replaced_kit']> | undefined> =>
  db.selectFrom('replaced_kit').selectAll().where('id', '=', id).executeTakeFirst()

/** In the place of one that was not used. */
export async function setRecoveryCode(tx: Writer, row: Selectable<Tables['recovery_code']>): Promise<void> {
  await tx.deleteFrom('recovery_code').where('account', '=', row.account).execute()
  await tx.insertInto('recovery_code').values(row).execute()
}

/** Takes it out, so that it cannot be used again. */
export const takeRecoveryCode = (tx: Writer, { account, hash }: { account: AccountId; hash: Uint8Array }) =>
  tx.deleteFrom('recovery_code').where('account', '=', account).where('hash', '=', hash).returning('expires_at').executeTakeFirst()

export const dropCodesBefore = (tx: Writer, time: number) => tx.deleteFrom('recovery_code').where('expires_at', '<=', time).execute()
