/** Sealed history: one head per account, and its segments. */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Tables } from '../tables.ts'

export const archive: Migration = {
  async up(db: Kysely<Tables>): Promise<void> {
    await db.schema
      .createTable('archive')
      .addColumn('account', 'text', (column) => column.primaryKey().notNull().references('account.id').onDelete('cascade'))
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('head', 'blob', (column) => column.notNull())
      .execute()
    await db.schema
      .createTable('archive_segment')
      .addColumn('account', 'text', (column) => column.notNull().references('account.id').onDelete('cascade'))
      .addColumn('number', 'integer', (column) => column.notNull())
      .addColumn('size', 'integer', (column) => column.notNull())
      .addColumn('bytes', 'blob', (column) => column.notNull())
      .addPrimaryKeyConstraint('archive_segment_key', ['account', 'number'])
      .execute()
  },
}
