/**
 * Where each device's newest entry stands, so that a message said twice is found from there. SQLite then needs no index of entries by
 * their senders, which was half of what an entry cost there; its one writer sees every counter. PostgreSQL keeps the constraint: only
 * with it does a batch fail that read a counter before another server moved it.
 */
import { sql, SqliteAdapter, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const lastEntry: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable('membership')
      .addColumn('last_seq', 'bigint', (column) => column.notNull().defaultTo(0))
      .execute()
    await sql`
      UPDATE membership SET last_seq = coalesce((
        SELECT entry.seq FROM entry
        WHERE entry.conversation = membership.conversation AND entry.sender = membership.device AND entry.client_seq = membership.client_seq
      ), 0)`.execute(db)
    if (db.getExecutor().adapter instanceof SqliteAdapter) await withoutIndexOfSenders(db)
  },
}

/** SQLite lets go of a constraint only with its table. */
async function withoutIndexOfSenders(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('entry_anew')
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
    .execute()
  await sql`
    INSERT INTO entry_anew (conversation, seq, epoch, kind, sender, client_seq, time, hash, bytes)
    SELECT conversation, seq, epoch, kind, sender, client_seq, time, hash, bytes FROM entry ORDER BY rowid`.execute(db)
  await db.schema.dropTable('entry').execute()
  await db.schema.alterTable('entry_anew').renameTo('entry').execute()
}
