/**
 * The device's database in Node: one SQLite file that only its owner can read, held by one process at a time. Also the
 * database in memory that tests use.
 */
import { chmod, mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Row, SqlValue, StoreDriver } from './driver.ts'
import { fromResultCode, StoreError, storeError } from './failure.ts'
import { serialStore, type Connection } from './serial.ts'

/**
 * Opens the file, making it (mode 0600, in directories of mode 0700) when it does not exist. Rejects with `StoreError`:
 * `in_use` when another process has it open, `exposed` when others may read it, `damaged` when it is not sound.
 */
export async function openNodeStore({ path }: { readonly path: string }): Promise<StoreDriver> {
  await ownersOnly(path)
  return openStoreOn({ open: () => new DatabaseSync(path), erase: () => eraseFiles(path) })
}

/** The parts of `node:sqlite` that a store uses. The testbed has the same on disks that lose what was not synced. */
export interface SqliteConnection {
  readonly isTransaction: boolean
  exec(sql: string): void
  prepare(sql: string): SqliteStatement
  close(): void
}

export interface SqliteStatement {
  setReadBigInts(on: boolean): void
  all(...values: SqlValue[]): Record<string, unknown>[]
  run(...values: SqlValue[]): unknown
}

/** A store on a SQLite that `open` opens; `erase` removes its files. Throws `StoreError` as `openNodeStore` rejects with it. */
export function openStoreOn({ open, erase }: { open: () => SqliteConnection; erase: () => void | Promise<void> }): StoreDriver {
  const connection = new NodeConnection(translated(open), erase)
  try {
    // Exclusive before WAL: the lock is then held until close, and the WAL index lives in memory instead of a third file.
    connection.run('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full', [])
    // The lock itself is taken by the first write.
    connection.run('begin immediate; commit; pragma foreign_keys = on', [])
    if (connection.all('pragma quick_check(1)', [])[0]?.['quick_check'] !== 'ok') throw storeError('damaged')
  } catch (error) {
    connection.close()
    throw error
  }
  return serialStore(connection)
}

/** A database that is gone when it is closed. */
export function openMemoryStore(): StoreDriver {
  const database = new DatabaseSync(':memory:')
  database.exec('pragma foreign_keys = on')
  return serialStore(new NodeConnection(database, () => undefined))
}

/** More statements than the SDK has, so that clearing the cache is rare. */
const cachedStatements = 300

class NodeConnection implements Connection {
  readonly #database: SqliteConnection
  readonly #statements = new Map<string, SqliteStatement>()
  readonly erase: () => void | Promise<void>

  constructor(database: SqliteConnection, erase: () => void | Promise<void>) {
    this.#database = database
    this.erase = erase
  }

  all(sql: string, parameters: readonly SqlValue[]): readonly Row[] {
    return translated(() =>
      this.#prepare(sql)
        .all(...parameters.map(toSqlite))
        .map(fromSqlite),
    )
  }

  run(sql: string, parameters: readonly SqlValue[]): void {
    translated(() => (parameters.length === 0 ? this.#database.exec(sql) : this.#prepare(sql).run(...parameters.map(toSqlite))))
  }

  inTransaction(): boolean {
    return this.#database.isTransaction
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }

  #prepare(sql: string): SqliteStatement {
    const known = this.#statements.get(sql)
    if (known) return known
    if (this.#statements.size >= cachedStatements) this.#statements.clear()
    const statement = this.#database.prepare(sql)
    statement.setReadBigInts(true)
    this.#statements.set(sql, statement)
    return statement
  }
}

/** node:sqlite binds every number as a double; as bigint, whole ones stay integers in columns without a type, too. */
function toSqlite(value: SqlValue): SqlValue {
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
}

function fromSqlite(row: Record<string, unknown>): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plainValue(value)]))
}

/** Integers as number where that is exact, as bigint where it is not: the same as in the browser. */
function plainValue(value: unknown): SqlValue {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (typeof value === 'number' || typeof value === 'string' || value === null || value instanceof Uint8Array) return value
  throw new TypeError('SQLite returned a value of no SQLite type')
}

function translated<T>(action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && typeof error.errcode === 'number') throw fromResultCode(error.errcode, error)
    throw new StoreError('refused', 'The local database refused a statement.', error)
  }
}

/** SQLite gives its journal files the mode of the database file. */
async function ownersOnly(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, 'a', 0o600)
  await file.close()
  if (process.platform === 'win32') return
  const { mode, size } = await stat(path)
  if ((mode & 0o077) === 0) return
  // An umask can only take rights away, so an empty file with more of them was put there by somebody else.
  if (size > 0) throw storeError('exposed')
  await chmod(path, 0o600)
}

async function eraseFiles(path: string): Promise<void> {
  await Promise.all(['', '-wal', '-shm', '-journal'].map((suffix) => rm(path + suffix, { force: true })))
}
