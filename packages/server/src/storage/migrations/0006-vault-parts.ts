/**
 * The vault in parts, its key encrypted to public keys. A vault of before is dropped: its one ciphertext cannot be divided here,
 * and its wrapped keys are of another kind. There was no release with it; whoever has one keeps the account and resets its key.
 */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const vaultParts: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.dropTable('vault_unlock').execute()
    await db.schema.dropTable('vault').execute()
    await db.schema
      .createTable('vault')
      .addColumn('account', 'text', (column) => column.primaryKey().notNull().references('account.id').onDelete('cascade'))
      .addColumn('generation', 'integer', (column) => column.notNull())
      .execute()
    await db.schema
      .createTable('vault_part')
      .addColumn('account', 'text', (column) => column.notNull().references('account.id').onDelete('cascade'))
      .addColumn('part', 'text', (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('bytes', 'blob', (column) => column.notNull())
      .addPrimaryKeyConstraint('vault_part_key', ['account', 'part'])
      .execute()
    await db.schema
      .createTable('vault_unlock')
      .addColumn('account', 'text', (column) => column.notNull().references('account.id').onDelete('cascade'))
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('wrapped_key', 'blob', (column) => column.notNull())
      .addPrimaryKeyConstraint('vault_unlock_by_id', ['account', 'id'])
      .execute()
    await db.schema.alterTable('passkey_credential').addColumn('unlock', 'text').execute()
  },
}
