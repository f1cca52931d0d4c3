/** Conversations, their logs and memberships, welcomes and kept signals. */
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const conversations: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await rooms(db)
    await logs(db)
    await welcomes(db)
    await signals(db)
  },
}

async function rooms(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('conversation')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('direct_pair', 'text', (column) => column.unique())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('group_info')
    .addColumn('conversation', 'text', (column) => column.primaryKey().references('conversation.id').onDelete('cascade'))
    .addColumn('epoch', 'bigint', (column) => column.notNull())
    .addColumn('bytes', 'blob', (column) => column.notNull())
    .execute()
}

async function logs(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('log')
    .addColumn('conversation', 'text', (column) => column.primaryKey())
    .addColumn('epoch', 'bigint', (column) => column.notNull())
    .addColumn('head', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('membership')
    .addColumn('conversation', 'text', (column) => column.notNull())
    .addColumn('device', 'text', (column) => column.notNull())
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('from_seq', 'bigint', (column) => column.notNull())
    .addColumn('to_seq', 'bigint')
    .addColumn('cursor', 'bigint', (column) => column.notNull())
    .addColumn('client_seq', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('membership_key', ['conversation', 'device'])
    .execute()
  await db.schema.createIndex('membership_device').on('membership').column('device').execute()
  await db.schema.createIndex('membership_account').on('membership').columns(['account', 'conversation']).execute()
  await db.schema
    .createTable('entry')
    .addColumn('conversation', 'text', (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('epoch', 'bigint', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('sender', 'text', (column) => column.notNull())
    .addColumn('client_seq', 'bigint', (column) => column.notNull())
    .addColumn('time', 'bigint', (column) => column.notNull())
    .addColumn('hash', 'blob', (column) => column.notNull())
    .addColumn('bytes', 'blob')
    .addPrimaryKeyConstraint('entry_key', ['conversation', 'seq'])
    .addUniqueConstraint('entry_once', ['conversation', 'sender', 'client_seq'])
    .execute()
}

async function welcomes(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('welcome')
    .addColumn('position', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('device', 'text', (column) => column.notNull())
    .addColumn('conversation', 'text', (column) => column.notNull())
    .addColumn('epoch', 'bigint', (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('bytes', 'blob', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('welcome_device').on('welcome').columns(['device', 'position']).execute()
  await db.schema.createIndex('welcome_conversation').on('welcome').columns(['conversation', 'epoch']).execute()
}

async function signals(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('kept_signal')
    .addColumn('conversation', 'text', (column) => column.notNull())
    .addColumn('device', 'text', (column) => column.notNull())
    .addColumn('epoch', 'bigint', (column) => column.notNull())
    .addColumn('bytes', 'blob', (column) => column.notNull())
    .addPrimaryKeyConstraint('kept_signal_key', ['conversation', 'device'])
    .execute()
}
