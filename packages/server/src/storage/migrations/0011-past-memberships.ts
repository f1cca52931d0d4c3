/** Memberships that are over and whose device has still something to read of them: one row for each interval. */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const pastMemberships: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('past_membership')
      .addColumn('conversation', 'text', (column) => column.notNull())
      .addColumn('device', 'text', (column) => column.notNull())
      .addColumn('account', 'text', (column) => column.notNull())
      .addColumn('from_seq', 'bigint', (column) => column.notNull())
      .addColumn('to_seq', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('past_membership_key', ['conversation', 'device', 'from_seq'])
      .execute()
    await db.schema.createIndex('past_membership_account').on('past_membership').column('account').execute()
  },
}
