/** What happened to each account, for its owner. */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const securityEvents: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('security_event')
      .addColumn('position', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('account', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('method', 'text')
      .addColumn('device', 'text')
      .addColumn('times', 'integer', (column) => column.notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('security_event_account').on('security_event').columns(['account', 'position']).execute()
    await db.schema.createIndex('security_event_at').on('security_event').column('at').execute()
  },
}
