/** Every query on vaults. */
import type { AccountId, UnlockId, VaultPart } from '@tacit/contract'
import type { Kysely, Selectable, Transaction } from 'kysely'
import type { Tables } from '../storage/tables.ts'

type Reader = Kysely<Tables>
type Writer = Transaction<Tables>
export type PartRow = Selectable<Tables['vault_part']>
export type UnlockRow = Selectable<Tables['vault_unlock']>

export const findVault = (db: Reader, account: AccountId): Promise<Selectable<Tables['vault']> | undefined> =>
  db.selectFrom('vault').selectAll().where('account', '=', account).executeTakeFirst()

/** Until the transaction ends nobody else changes this vault. */
export const lockVault = (tx: Writer, account: AccountId): Promise<Selectable<Tables['vault']> | undefined> =>
  tx.selectFrom('vault').selectAll().where('account', '=', account).forUpdate().executeTakeFirst()

export const partsOf = (db: Reader, account: AccountId): Promise<PartRow[]> =>
  db.selectFrom('vault_part').selectAll().where('account', '=', account).orderBy('part').execute()

export const headsOf = (db: Reader, account: AccountId): Promise<Pick<PartRow, 'part' | 'version'>[]> =>
  db.selectFrom('vault_part').select(['part', 'version']).where('account', '=', account).orderBy('part').execute()

export const findPart = (db: Reader, { account, part }: { account: AccountId; part: VaultPart }): Promise<PartRow | undefined> =>
  db.selectFrom('vault_part').selectAll().where('account', '=', account).where('part', '=', part).executeTakeFirst()

export const unlocksOf = (db: Reader, account: AccountId): Promise<UnlockRow[]> =>
  db.selectFrom('vault_unlock').selectAll().where('account', '=', account).orderBy('kind').orderBy('id').execute()

export const addVault = (tx: Writer, row: Selectable<Tables['vault']>) => tx.insertInto('vault').values(row).execute()
export const addParts = (tx: Writer, rows: readonly PartRow[]) => tx.insertInto('vault_part').values(rows).execute()
export const addUnlocks = (tx: Writer, rows: readonly UnlockRow[]) => tx.insertInto('vault_unlock').values(rows).execute()

export const setGeneration = (tx: Writer, { account, generation }: Selectable<Tables['vault']>) =>
  tx.updateTable('vault').set({ generation }).where('account', '=', account).execute()

export const setPart = (tx: Writer, { account, part, version, bytes }: PartRow) =>
  tx.updateTable('vault_part').set({ version, bytes }).where('account', '=', account).where('part', '=', part).execute()

export const dropUnlock = (tx: Writer, { account, id }: { account: AccountId; id: UnlockId }) =>
  tx.deleteFrom('vault_unlock').where('account', '=', account).where('id', '=', id).execute()

export async function dropVault(tx: Writer, account: AccountId): Promise<void> {
  await dropUnlocks(tx, account)
  await tx.deleteFrom('vault_part').where('account', '=', account).execute()
  await tx.deleteFrom('vault').where('account', '=', account).execute()
}

export const dropUnlocks = (tx: Writer, account: AccountId) => tx.deleteFrom('vault_unlock').where('account', '=', account).execute()
