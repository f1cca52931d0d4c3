/**
 * PostgreSQL lets go of its index of entries by their senders as well. A batch that read a counter before another server moved it is
 * refused by the counter itself (delivery/postgres.statements.ts), so the servers of the version before must have ended.
 */
import { SqliteAdapter, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const countersCompared: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    // There the table was made anew without it (0012).
    if (db.getExecutor().adapter instanceof SqliteAdapter) return
    await db.schema.alterTable('entry').dropConstraint('entry_once').execute()
  },
}
