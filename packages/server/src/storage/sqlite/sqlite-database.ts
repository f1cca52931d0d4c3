/**
 * SQLite: one connection that writes and one that only reads. Writes queue up behind each other, so a transaction is never
 * interleaved with another; reads see what is committed. A write has reached stable storage when its promise resolves (WAL
 * with synchronous=FULL, asserted at the start).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely, type Transaction } from 'kysely'
import type { DatabaseOptions, DatabaseVerbs } from '../database.ts'
import { migrateToLatest } from '../migrate.ts'
import { migrations as ours } from '../migrations/index.ts'
import type { Tables } from '../tables.ts'
import { WaitingLine } from '../waiting-line.ts'
import { openNodeSqlite, type OpenSqlite, type SqliteConnection } from './engine.ts'
import { NodeSqliteDialect } from './sqlite-dialect.ts'
import { isDiskFault } from './sqlite-faults.ts'
import { checkStructure } from './structure.ts'

export interface SqliteDatabase extends DatabaseVerbs {
  readonly kind: 'sqlite'
  /**
   * The hot path: a synchronous body on the writing connection, queued with `write`, inside BEGIN IMMEDIATE .. COMMIT
   * that this function makes. Throwing rolls everything back.
   */
  exclusive<T>(work: (sqlite: SqliteConnection) => T): Promise<T>
  /** Prepared reads on the reading connection, synchronous. */
  read<T>(work: (sqlite: SqliteConnection) => T): T
}

export interface SqliteOptions extends Omit<DatabaseOptions, 'url'> {
  readonly open?: OpenSqlite
  /** Hears that the disk failed in a transaction of a room; the process has to end, and ends unless given. */
  readonly onDiskFault?: (error: unknown) => void
}

/** Opens the file, or makes it. */
export async function openSqlite({
  path,
  migrations = ours,
  acceptDataLoss = false,
  open = openNodeSqlite,
  onDiskFault = endProcess,
}: SqliteOptions): Promise<SqliteDatabase> {
  const temporary = path === ':memory:' ? mkdtempSync(join(tmpdir(), 'tacit-')) : undefined
  const file = temporary ? join(temporary, 'tacit.sqlite') : path
  const writer = openWriter({ open, file, acceptDataLoss })
  await migrateToLatest(new Kysely<Tables>({ dialect: new NodeSqliteDialect(writer) }), migrations)
  const reader = openReader(open, file)
  // Another engine's files are nowhere that a process of its own could look.
  const structure = open === openNodeSqlite ? (signal: AbortSignal) => checkStructure(file, signal) : () => Promise.resolve([])
  return new SqliteHouse({ writer, reader, onDiskFault, structure, ...(temporary && { temporary }) })
}

interface Opened {
  readonly writer: SqliteConnection
  readonly reader: SqliteConnection
  readonly onDiskFault: (error: unknown) => void
  readonly structure: (signal: AbortSignal) => Promise<readonly string[]>
  readonly temporary?: string
}

class SqliteHouse implements SqliteDatabase {
  readonly kind = 'sqlite'
  readonly kysely: Kysely<Tables>
  readonly #writing: Kysely<Tables>
  readonly #writer: SqliteConnection
  readonly #reader: SqliteConnection
  readonly #temporary: string | undefined
  readonly #onDiskFault: (error: unknown) => void
  readonly structure: (signal: AbortSignal) => Promise<readonly string[]>
  readonly #waiting = new WaitingLine()
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor({ writer, reader, onDiskFault, structure, temporary }: Opened) {
    this.structure = structure
    this.#onDiskFault = onDiskFault
    this.#writer = writer
    this.#reader = reader
    this.#temporary = temporary
    this.#writing = new Kysely<Tables>({ dialect: new NodeSqliteDialect(writer) })
    this.kysely = new Kysely<Tables>({ dialect: new NodeSqliteDialect(reader) })
  }

  write<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
    return this.#waiting.join(() => this.#queue(() => this.#writing.transaction().execute(work))).catch((error) => this.#orEnd(error))
  }

  exclusive<T>(work: (sqlite: SqliteConnection) => T): Promise<T> {
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

  read<T>(work: (sqlite: SqliteConnection) => T): T {
    return work(this.#reader)
  }

  /** Nothing to remember: no copy of a file takes its place while a server has it open. */
  acknowledged(): void {}

  async healthy(): Promise<boolean> {
    try {
      await this.exclusive((sqlite) => sqlite.exec('PRAGMA user_version = 0'))
      return this.#reader.prepare('SELECT 1').get() !== undefined
    } catch (error) {
      return isDiskFault(error) ? this.#orEnd(error) : false
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

  /**
   * Throws the error again, unless the disk failed: what was written then is in doubt, and so is all that would be written
   * after it. The process ends, and whoever waits is not answered.
   */
  #orEnd(error: unknown): Promise<never> {
    if (!isDiskFault(error)) throw error
    this.#closed = true
    this.#onDiskFault(error)
    return new Promise(() => undefined)
  }

  /** One after another, in the order asked; a failure belongs to its caller and does not stop the queue. */
  async #queue<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#closed) throw new Error('the database is closed')
    const turn = this.#last.then(work, work)
    this.#last = turn.catch(() => undefined)
    return turn
  }
}

/** Nobody handles this promise, which ends a Node process. */
const endProcess = (error: unknown): void => void Promise.reject(error)

/** `temp_store`: what a statement puts aside stays in memory. A machine without a writable temporary folder would refuse large inserts else. */
const SHARED_PRAGMAS = ['busy_timeout = 5000', 'foreign_keys = ON', 'trusted_schema = OFF', 'cache_size = -16000', 'temp_store = MEMORY']

/** Pages in the log until they are written to their places: the more, the fewer times a page that changes often is written. */
const CHECKPOINT_PAGES = 8000

function openWriter({ open, file, acceptDataLoss }: { open: OpenSqlite; file: string; acceptDataLoss: boolean }): SqliteConnection {
  const sqlite = open(file)
  for (const pragma of SHARED_PRAGMAS) sqlite.exec(`PRAGMA ${pragma}`)
  sqlite.exec('PRAGMA journal_mode = WAL')
  sqlite.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  sqlite.exec(`PRAGMA synchronous = ${acceptDataLoss ? 'NORMAL' : 'FULL'}`)
  assertPragma(sqlite, 'journal_mode', 'wal')
  assertPragma(sqlite, 'synchronous', acceptDataLoss ? 1 : 2)
  assertPragma(sqlite, 'foreign_keys', 1)
  assertPragma(sqlite, 'trusted_schema', 0)
  assertPragma(sqlite, 'temp_store', 2)
  // After a sync that failed, an earlier process may have left a log that can be read and is not on the disk: what follows such
  // a hole would not survive a power cut. Copied into the database and synced there, all that can be read is stored.
  sqlite.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  return sqlite
}

function openReader(open: OpenSqlite, file: string): SqliteConnection {
  const sqlite = open(file)
  for (const pragma of [...SHARED_PRAGMAS, 'query_only = ON']) sqlite.exec(`PRAGMA ${pragma}`)
  assertPragma(sqlite, 'query_only', 1)
  return sqlite
}

/** The engine ignores a pragma that it cannot honour (a file system without shared memory, for WAL), so what holds is read back. */
function assertPragma(sqlite: SqliteConnection, name: string, expected: string | number): void {
  const actual = Object.values(sqlite.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  if (actual !== expected) {
    sqlite.close()
    throw new Error(
      `The database refused ${name} = ${expected}; without it accepted messages could be lost. Use another disk or file system.`,
    )
  }
}
