/** Recovery kits and the operator's recovery codes. */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const unlocks: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('kit_credential')
      .addColumn('account', 'text', (column) => column.primaryKey().notNull().references('account.id').onDelete('cascade'))
      .addColumn('id', 'text', (column) => column.notNull().unique())
      .addColumn('public_key', 'blob', (column) => column.notNull())
      .addColumn('made_at', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema
      .createTable('replaced_kit')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('account', 'text', (column) => column.notNull().references('account.id').onDelete('cascade'))
      .addColumn('replaced_at', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('replaced_kit_account').on('replaced_kit').column('account').execute()
    await db.schema
      .createTable('recovery_code')
      .addColumn('account', 'text', (column) => column.primaryKey().notNull().references('account.id').onDelete('cascade'))
      .addColumn('hash', 'blob', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .execute()
  },
}
