/**
 * The database: one connection that writes and one that only reads. Writes queue up behind each other, so a transaction
 * is never interleaved with another; reads see what is committed. A write has reached stable storage when its promise
 * resolves (WAL with synchronous=FULL, asserted at the start).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, type Transaction } from 'kysely'
import { migrateToLatest, type Migrations } from './migrate.ts'
import { migrations as ours } from './migrations/index.ts'
import { NodeSqliteDialect } from './sqlite-dialect.ts'
import type { Tables } from './tables.ts'

export interface Database {
  /** For reading only; a statement that would write is refused by the connection. */
  readonly kysely: Kysely<Tables>
  /** Runs `work` in a transaction of its own, after the writes before it. Never await the network or cryptography inside. */
  write<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T>
  /**
   * The hot path: a synchronous body on the writing connection, queued with `write`, inside BEGIN IMMEDIATE .. COMMIT
   * that this function makes. Throwing rolls everything back.
   */
  exclusive<T>(work: (sqlite: DatabaseSync) => T): Promise<T>
  /** Prepared reads on the reading connection, synchronous. */
  read<T>(work: (sqlite: DatabaseSync) => T): T
  /** Whether a read and a write transaction work right now. */
  healthy(): Promise<boolean>
  /** Waits for queued writes, then closes. Further use is refused. */
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** A file; or `:memory:` for a private temporary one that disappears on close (two connections cannot share real memory). */
  readonly path: string
  readonly migrations?: Migrations
  /** Gives up the promise that an accepted message survives a power cut: synchronous=NORMAL. */
  readonly acceptDataLoss?: boolean
}

/** Opens the file, brings its schema up to date, and asserts that it is as durable as promised. Throws with a sentence if not. */
export async function openDatabase({ path, migrations = ours, acceptDataLoss = false }: DatabaseOptions): Promise<Database> {
  const temporary = path === ':memory:' ? mkdtempSync(join(tmpdir(), 'tacit-')) : undefined
  const file = temporary ? join(temporary, 'tacit.sqlite') : path
  const writer = openWriter(file, acceptDataLoss)
  await migrateToLatest(new Kysely<Tables>({ dialect: new NodeSqliteDialect(writer) }), migrations)
  return new SqliteHouse({ writer, reader: openReader(file), ...(temporary && { temporary }) })
}

class SqliteHouse implements Database {
  readonly kysely: Kysely<Tables>
  readonly #writing: Kysely<Tables>
  readonly #writer: DatabaseSync
  readonly #reader: DatabaseSync
  readonly #temporary: string | undefined
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor({ writer, reader, temporary }: { writer: DatabaseSync; reader: DatabaseSync; temporary?: string }) {
    this.#writer = writer
    this.#reader = reader
    this.#temporary = temporary
    this.#writing = new Kysely<Tables>({ dialect: new NodeSqliteDialect(writer) })
    this.kysely = new Kysely<Tables>({ dialect: new NodeSqliteDialect(reader) })
  }

  write<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
    return this.#queue(() => this.#writing.transaction().execute(work))
  }

  exclusive<T>(work: (sqlite: DatabaseSync) => T): Promise<T> {
    return this.#queue(() => {
      this.#writer.exec('BEGIN IMMEDIATE')
      try {
        const result = work(this.#writer)
        this.#writer.exec('COMMIT')
        return result
      } catch (error) {
        if (this.#writer.isTransaction) this.#writer.exec('ROLLBACK')
        throw error
      }
    })
  }

  read<T>(work: (sqlite: DatabaseSync) => T): T {
    return work(this.#reader)
  }

  async healthy(): Promise<boolean> {
    try {
      await this.exclusive((sqlite) => sqlite.exec('PRAGMA user_version = 0'))
      return this.#reader.prepare('SELECT 1').get() !== undefined
    } catch {
      return false
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#last.catch(() => undefined)
    this.#reader.close()
    this.#writer.close()
    if (this.#temporary) rmSync(this.#temporary, { recursive: true, force: true })
  }

  /** One after another, in the order asked; a failure belongs to its caller and does not stop the queue. */
  async #queue<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#closed) throw new Error('the database is closed')
    const turn = this.#last.then(work, work)
    this.#last = turn.catch(() => undefined)
    return turn
  }
}

const SHARED_PRAGMAS = ['busy_timeout = 5000', 'foreign_keys = ON', 'trusted_schema = OFF', 'cache_size = -16000']

function openWriter(file: string, acceptDataLoss: boolean): DatabaseSync {
  const sqlite = new DatabaseSync(file)
  for (const pragma of SHARED_PRAGMAS) sqlite.exec(`PRAGMA ${pragma}`)
  sqlite.exec('PRAGMA journal_mode = WAL')
  sqlite.exec(`PRAGMA synchronous = ${acceptDataLoss ? 'NORMAL' : 'FULL'}`)
  assertPragma(sqlite, 'journal_mode', 'wal')
  assertPragma(sqlite, 'synchronous', acceptDataLoss ? 1 : 2)
  assertPragma(sqlite, 'foreign_keys', 1)
  assertPragma(sqlite, 'trusted_schema', 0)
  return sqlite
}

function openReader(file: string): DatabaseSync {
  const sqlite = new DatabaseSync(file)
  for (const pragma of [...SHARED_PRAGMAS, 'query_only = ON']) sqlite.exec(`PRAGMA ${pragma}`)
  assertPragma(sqlite, 'query_only', 1)
  return sqlite
}

/** The engine ignores a pragma that it cannot honour (a file system without shared memory, for WAL), so what holds is read back. */
function assertPragma(sqlite: DatabaseSync, name: string, expected: string | number): void {
  const actual = Object.values(sqlite.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  if (actual !== expected) {
    sqlite.close()
    throw new Error(
      `The database refused ${name} = ${expected}; without it accepted messages could be lost. Use another disk or file system.`,
    )
  }
}
