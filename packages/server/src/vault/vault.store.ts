/** Every query on vaults. */
import type { AccountId, VaultUnlock } from '@tacit/contract'
import type { Kysely, Selectable, Transaction } from 'kysely'
import type { Tables } from '../storage/tables.ts'

type Reader = Kysely<Tables>
type Writer = Transaction<Tables>

export const findVault = (db: Reader, account: AccountId): Promise<Selectable<Tables['vault']> | undefined> =>
  db.selectFrom('vault').selectAll().where('account', '=', account).executeTakeFirst()

export const unlocksOf = (db: Reader, account: AccountId): Promise<{ kind: VaultUnlock['kind']; wrapped_key: Uint8Array }[]> =>
  db.selectFrom('vault_unlock').select(['kind', 'wrapped_key']).where('account', '=', account).orderBy('kind').execute()

export const addVault = (tx: Writer, row: Selectable<Tables['vault']>) => tx.insertInto('vault').values(row).execute()
export const addUnlock = (tx: Writer, row: Selectable<Tables['vault_unlock']>) => tx.insertInto('vault_unlock').values(row).execute()

/** Only if `version` is the next one; says whether it was. */
export async function replaceVault(tx: Writer, { account, version, bytes }: Selectable<Tables['vault']>): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('vault')
    .set({ version, bytes })
    .where('account', '=', account)
    .where('version', '=', version - 1)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}
