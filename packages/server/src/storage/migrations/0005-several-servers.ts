/**
 * What several servers on one database need: notices that must not be lost, the transactions of kept signals, the number of
 * each device's newest socket, and the servers' common secrets.
 */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const severalServers: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('written_notice')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('tx', 'bigint', (column) => column.notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('bytes', 'blob', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('written_notice_tx').on('written_notice').column('tx').execute()
    await db.schema.createIndex('written_notice_at').on('written_notice').column('at').execute()
    await db.schema.alterTable('kept_signal').addColumn('tx', 'bigint').execute()
    await db.schema.createIndex('kept_signal_tx').on('kept_signal').column('tx').execute()
    await db.schema
      .alterTable('device')
      .addColumn('line', 'bigint', (column) => column.notNull().defaultTo(0))
      .execute()
    await db.schema
      .createTable('server_secret')
      .addColumn('name', 'text', (column) => column.primaryKey().notNull())
      .addColumn('sealed', 'blob', (column) => column.notNull())
      .execute()
  },
}
