/** Codes that new devices show, and when each session last proved who is there. */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const linking: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('link')
      .addColumn('code', 'text', (column) => column.primaryKey().notNull())
      .addColumn('ticket_hash', 'blob', (column) => column.notNull().unique())
      .addColumn('commitment', 'blob', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('account', 'text', (column) => column.references('account.id').onDelete('cascade'))
      .addColumn('session', 'text')
      .addColumn('offer_key', 'blob')
      .addColumn('reveal_key', 'blob')
      .addColumn('reveal_nonce', 'blob')
      .addColumn('sealed', 'blob')
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('link_expires_at').on('link').column('expires_at').execute()
    await db.schema.alterTable('session').addColumn('proved_at', 'bigint').execute()
  },
}
