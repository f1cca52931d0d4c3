/**
 * One SQLite connection over wa-sqlite. It binds and reads values itself where wa-sqlite would change them: text with a
 * NUL is cut off, an empty blob becomes NULL, whole numbers beyond 32 bits become floating point, integers beyond 64 bits
 * are left out in silence.
 */
import * as sqlite from '@journeyapps/wa-sqlite'
import type { Row, SqlValue } from './driver.ts'
import { fromResultCode, StoreError } from './failure.ts'
import type { Connection } from './serial.ts'

/** What is used of the WebAssembly module. */
export interface SqliteModule {
  readonly HEAPU8: Uint8Array
  _sqlite3_malloc(size: number): number
  _getSqliteFree(): number
  ccall(name: string, returns: 'number', types: readonly string[], parameters: readonly (string | number)[]): number
}

export type SqliteApi = ReturnType<typeof sqlite.Factory>

/** More statements than the SDK has, so that clearing the cache is rare. */
const cachedStatements = 300

const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() }

export class WaConnection implements Connection {
  readonly #api: SqliteApi
  readonly #module: SqliteModule
  readonly #database: number
  readonly #statements = new Map<string, number>()
  readonly #released: () => void
  readonly erase: () => Promise<void>

  constructor(parts: { api: SqliteApi; module: SqliteModule; database: number; released: () => void; erase: () => Promise<void> }) {
    this.#api = parts.api
    this.#module = parts.module
    this.#database = parts.database
    this.#released = parts.released
    this.erase = parts.erase
  }

  all(sql: string, parameters: readonly SqlValue[]): Promise<readonly Row[]> {
    return translated(async () => this.#execute(await this.#prepare(sql), parameters))
  }

  run(sql: string, parameters: readonly SqlValue[]): Promise<void> {
    return translated(async () => {
      if (parameters.length === 0) await this.#api.exec(this.#database, sql)
      else await this.#execute(await this.#prepare(sql), parameters)
    })
  }

  inTransaction(): boolean {
    return this.#api.get_autocommit(this.#database) === 0
  }

  async close(): Promise<void> {
    try {
      await this.#forgetStatements()
      await translated(() => this.#api.close(this.#database))
    } finally {
      this.#released()
    }
  }

  async #execute(statement: number, parameters: readonly SqlValue[]): Promise<readonly Row[]> {
    const api = this.#api
    try {
      api.clear_bindings(statement)
      parameters.forEach((value, index) => this.#bind({ statement, position: index + 1, value }))
      const names = api.column_names(statement)
      const rows: Row[] = []
      while ((await api.step(statement)) === sqlite.SQLITE_ROW) rows.push(this.#row(statement, names))
      return rows
    } finally {
      // Reports the failure of the step once more, which is known already.
      await api.reset(statement).catch(() => undefined)
    }
  }

  async #prepare(sql: string): Promise<number> {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    if (this.#statements.size >= cachedStatements) await this.#forgetStatements()
    for await (const statement of this.#api.statements(this.#database, sql, { unscoped: true })) {
      this.#statements.set(sql, statement)
      return statement
    }
    throw new StoreError('refused', 'The local database was given no statement.')
  }

  async #forgetStatements(): Promise<void> {
    for (const statement of this.#statements.values()) await this.#api.finalize(statement)
    this.#statements.clear()
  }

  #bind({ statement, position, value }: { statement: number; position: number; value: SqlValue }): void {
    const code = this.#bindValue(statement, position, value)
    if (code !== sqlite.SQLITE_OK) throw fromResultCode(code, undefined)
  }

  #bindValue(statement: number, position: number, value: SqlValue): number {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) return this.#api.bind_double(statement, position, value)
    if (typeof value === 'number' || typeof value === 'bigint') return this.#bindInteger(statement, position, BigInt(value))
    if (value === null) return this.#api.bind_null(statement, position)
    return typeof value === 'string'
      ? this.#bindBytes({ statement, position, bytes: utf8.encoder.encode(value), as: 'sqlite3_bind_text' })
      : this.#bindBytes({ statement, position, bytes: value, as: 'sqlite3_bind_blob' })
  }

  #bindInteger(statement: number, position: number, value: bigint): number {
    return BigInt.asIntN(64, value) === value ? this.#api.bind_int64(statement, position, value) : sqlite.SQLITE_RANGE
  }

  /** Copies into memory that SQLite frees itself; one byte at least, because a null pointer would mean NULL. */
  #bindBytes({ statement, position, bytes, as }: { statement: number; position: number; bytes: Uint8Array; as: string }): number {
    const pointer = this.#module._sqlite3_malloc(Math.max(bytes.length, 1))
    if (pointer === 0) return sqlite.SQLITE_NOMEM
    this.#module.HEAPU8.set(bytes, pointer)
    const free = this.#module._getSqliteFree()
    return this.#module.ccall(
      as,
      'number',
      ['number', 'number', 'number', 'number', 'number'],
      [statement, position, pointer, bytes.length, free],
    )
  }

  #row(statement: number, names: readonly string[]): Row {
    return Object.fromEntries(names.map((name, column) => [name, this.#column(statement, column)]))
  }

  #column(statement: number, column: number): SqlValue {
    switch (this.#api.column_type(statement, column)) {
      case sqlite.SQLITE_TEXT:
        return utf8.decoder.decode(this.#api.column_blob(statement, column))
      case sqlite.SQLITE_BLOB:
        return this.#api.column_blob(statement, column).slice()
      case sqlite.SQLITE_FLOAT:
        return this.#api.column_double(statement, column)
      case sqlite.SQLITE_INTEGER:
        return plainInteger(this.#api.column(statement, column))
      default:
        return null
    }
  }
}

/** Integers as number where that is exact, as bigint where it is not. */
function plainInteger(value: unknown): number | bigint {
  if (typeof value === 'bigint') return value
  if (typeof value !== 'number') throw new TypeError('SQLite returned an integer that is none')
  return Number.isSafeInteger(value) ? value : BigInt(value)
}

async function translated<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof StoreError) throw error
    if (error instanceof Error && 'code' in error && typeof error.code === 'number') throw fromResultCode(error.code, error)
    throw new StoreError('refused', 'The local database refused a statement.', error)
  }
}
