/**
 * The database behind all rooms: SQLite in the data folder, or PostgreSQL when a server is named. Rooms speak Kysely, one
 * text for both; what differs is in `sqlite/` and `postgres/`, and only the delivery room's hot path looks at `kind`.
 */
import type { ConversationId } from '@tacit/contract'
import type { Kysely, Transaction } from 'kysely'
import type { Migrations } from './migrate.ts'
import { openPostgres, type PostgresDatabase } from './postgres/postgres-database.ts'
import { openSqlite, type SqliteDatabase } from './sqlite/sqlite-database.ts'
import type { Tables } from './tables.ts'

export interface DatabaseVerbs {
  /** For reading only; a statement that would write is refused by the connection. */
  readonly kysely: Kysely<Tables>
  /**
   * Runs `work` in a transaction of its own, durable when the promise resolves. On SQLite transactions run one after another;
   * on PostgreSQL together, so whoever reads to decide locks what it read (`forUpdate`), and `work` runs again from the start
   * when another transaction came between: it has no effect but on the database. Never await the network or cryptography inside.
   * Refuses `unavailable` when too many wait.
   */
  write<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T>
  /** Somebody is about to be told that a place in a log is taken: on PostgreSQL a copy that lacks it is refused from now on (F-07). */
  acknowledged(place: { readonly conversation: ConversationId; readonly seq: number }): void
  /** Whether a read and a write transaction work right now. */
  healthy(): Promise<boolean>
  /** What the engine finds when it looks at its own files: lines about what is wrong, none when all is well or it has no such look. */
  structure(signal: AbortSignal): Promise<readonly string[]>
  /** Waits for what was asked for, then closes. Further use is refused. */
  close(): Promise<void>
}

export type Database = SqliteDatabase | PostgresDatabase

export interface DatabaseOptions {
  /** A file; or `:memory:` for a private temporary one that disappears on close (two connections cannot share real memory). */
  readonly path: string
  /** `postgres://...`; when given, `path` is not used. */
  readonly url?: string
  readonly migrations?: Migrations
  /** Where a server on PostgreSQL writes down what it acknowledged last. */
  readonly folder?: string | undefined
  /** Gives up the promise that an accepted message survives a power cut. */
  readonly acceptDataLoss?: boolean
}

/** Opens it, brings its schema up to date, and asserts that it is as durable as promised. Throws with a sentence if not. */
export function openDatabase({ path, url, ...options }: DatabaseOptions): Promise<Database> {
  return url ? openPostgres({ ...options, url }) : openSqlite({ ...options, path })
}
