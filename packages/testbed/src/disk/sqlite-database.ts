/** One connection of the simulated SQLite and its statements, with the surface of `node:sqlite` that the product uses. */
import type { SqlValue } from '@tacit/sdk'

/** What is used of SQLite's C interface (https://sqlite.org/c3ref/funclist.html). Integers of 64 bits go in two halves. */
export interface SqliteCalls {
  readonly HEAPU8: Uint8Array
  readonly HEAP32: Int32Array
  _malloc(size: number): number
  _free(at: number): void
  UTF8ToString(pointer: number): string
  getTempRet0(): number
  _sqlite3_vfs_register(vfs: number, isDefault: number): number
  _sqlite3_open_v2(path: number, out: number, flags: number, vfs: number): number
  _sqlite3_close_v2(database: number): number
  _sqlite3_errmsg(database: number): number
  _sqlite3_extended_errcode(database: number): number
  _sqlite3_exec(database: number, sql: number, callback: number, given: number, message: number): number
  _sqlite3_get_autocommit(database: number): number
  _sqlite3_changes(database: number): number
  _sqlite3_last_insert_rowid(database: number): number
  _sqlite3_prepare_v2(database: number, sql: number, length: number, out: number, tail: number): number
  _sqlite3_finalize(statement: number): number
  _sqlite3_reset(statement: number): number
  _sqlite3_clear_bindings(statement: number): number
  _sqlite3_step(statement: number): number
  _sqlite3_column_count(statement: number): number
  _sqlite3_column_name(statement: number, column: number): number
  _sqlite3_column_type(statement: number, column: number): number
  _sqlite3_column_int64(statement: number, column: number): number
  _sqlite3_column_double(statement: number, column: number): number
  _sqlite3_column_blob(statement: number, column: number): number
  _sqlite3_column_text(statement: number, column: number): number
  _sqlite3_column_bytes(statement: number, column: number): number
  _sqlite3_bind_null(statement: number, position: number): number
  _sqlite3_bind_double(statement: number, position: number, value: number): number
  _sqlite3_bind_int64(statement: number, position: number, low: number, high: number): number
  _sqlite3_bind_text(statement: number, position: number, at: number, length: number, free: number): number
  _sqlite3_bind_blob(statement: number, position: number, at: number, length: number, free: number): number
}

type Value = string | number | bigint | Uint8Array<ArrayBuffer> | null
type Row = Record<string, Value>

const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() }

const READ_WRITE_CREATE = 0x6
const ROW = 100
const DONE = 101
/** SQLite copies what is bound. */
const TRANSIENT = -1

/** As `node:sqlite` throws: `errcode` is SQLite's own code. */
export class SimulatedSqliteError extends Error {
  override readonly name = 'SimulatedSqliteError'
  readonly errcode: number
  constructor(errcode: number, message: string) {
    super(message)
    this.errcode = errcode
  }
}

export class SimulatedDatabase {
  readonly #heap: SqliteCalls
  readonly #database: number
  readonly #statements: SimulatedStatement[] = []
  readonly #looks = new Map<string, SimulatedStatement>()
  #closed = false

  constructor(heap: SqliteCalls, path: string) {
    this.#heap = heap
    const out = heap._malloc(4)
    const code = withText(heap, path, (at) => heap._sqlite3_open_v2(at, out, READ_WRITE_CREATE, 0))
    this.#database = heap.HEAP32[out >> 2] ?? 0
    heap._free(out)
    if (code !== 0) throw this.#error(code)
  }

  get isOpen(): boolean {
    return !this.#closed
  }

  get isTransaction(): boolean {
    return this.#heap._sqlite3_get_autocommit(this.#database) === 0
  }

  exec(sql: string): void {
    this.#mustBeOpen()
    const code = withText(this.#heap, sql, (at) => this.#heap._sqlite3_exec(this.#database, at, 0, 0, 0))
    if (code !== 0) throw this.#error(code)
  }

  prepare(sql: string): SimulatedStatement {
    this.#mustBeOpen()
    const heap = this.#heap
    const out = heap._malloc(4)
    const code = withText(heap, sql, (at) => heap._sqlite3_prepare_v2(this.#database, at, -1, out, 0))
    const statement = heap.HEAP32[out >> 2] ?? 0
    heap._free(out)
    if (code !== 0) throw this.#error(code)
    const made = new SimulatedStatement({ heap, statement, database: this.#database, failure: (failed) => this.#error(failed) })
    this.#statements.push(made)
    return made
  }

  /** As `prepare`, for the statement that asks this again and again. */
  look(sql: string): SimulatedStatement {
    const known = this.#looks.get(sql) ?? this.prepare(sql)
    this.#looks.set(sql, known)
    return known
  }

  /** Its statements go with it. */
  close(): void {
    this.#mustBeOpen()
    this.#closed = true
    for (const statement of this.#statements) statement.finalize()
    this.#heap._sqlite3_close_v2(this.#database)
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Error('database is not open')
  }

  #error(code: number): SimulatedSqliteError {
    const message = this.#heap.UTF8ToString(this.#heap._sqlite3_errmsg(this.#database))
    return new SimulatedSqliteError(code, message)
  }
}

interface StatementParts {
  readonly heap: SqliteCalls
  readonly statement: number
  readonly database: number
  failure(code: number): SimulatedSqliteError
}

export class SimulatedStatement {
  readonly #parts: StatementParts
  readonly #names: readonly string[]
  #bigints = false
  #arrays = false
  #finalized = false

  constructor(parts: StatementParts) {
    this.#parts = parts
    const { heap, statement } = parts
    const count = heap._sqlite3_column_count(statement)
    this.#names = Array.from({ length: count }, (_, at) => heap.UTF8ToString(heap._sqlite3_column_name(statement, at)))
  }

  /** Called once, by its database. */
  finalize(): void {
    this.#finalized = true
    this.#parts.heap._sqlite3_finalize(this.#parts.statement)
  }

  columns(): { name: string }[] {
    return this.#names.map((name) => ({ name }))
  }

  setReadBigInts(on: boolean): void {
    this.#bigints = on
  }

  setReturnArrays(on: boolean): void {
    this.#arrays = on
  }

  get(...values: readonly SqlValue[]): Row | undefined {
    for (const row of this.iterate(...values)) return row
    return undefined
  }

  all(...values: readonly SqlValue[]): Row[] {
    return [...this.iterate(...values)]
  }

  run(...values: readonly SqlValue[]): { changes: number; lastInsertRowid: number } {
    const { heap, database } = this.#parts
    for (const _row of this.iterate(...values));
    return { changes: heap._sqlite3_changes(database), lastInsertRowid: heap._sqlite3_last_insert_rowid(database) }
  }

  *iterate(...values: readonly SqlValue[]): Generator<Row, undefined> {
    const { heap, statement, failure } = this.#parts
    // As Node's: a program that goes on after it closed its database is told so. SQLite itself would write into memory that is another's.
    if (this.#finalized) throw new Error('statement has been finalized')
    heap._sqlite3_reset(statement)
    heap._sqlite3_clear_bindings(statement)
    for (const [at, value] of values.entries()) this.#bind(at + 1, value)
    try {
      for (;;) {
        const code = heap._sqlite3_step(statement)
        if (code === DONE) return undefined
        if (code !== ROW) throw failure(code)
        yield this.#row()
      }
    } finally {
      if (!this.#finalized) heap._sqlite3_reset(statement)
    }
  }

  #row(): Row {
    const values = this.#names.map((_, at) => this.#column(at))
    const named = Object.fromEntries(this.#names.map((name, at) => [name, values[at] ?? null]))
    return this.#arrays ? Object.assign(values, named) : named
  }

  #column(at: number): Value {
    const { heap, statement } = this.#parts
    switch (heap._sqlite3_column_type(statement, at)) {
      case 1:
        return this.#integer(heap._sqlite3_column_int64(statement, at), heap.getTempRet0())
      case 2:
        return heap._sqlite3_column_double(statement, at)
      case 3:
        return utf8.decoder.decode(this.#bytes(heap._sqlite3_column_text(statement, at), at))
      case 4:
        return this.#bytes(heap._sqlite3_column_blob(statement, at), at)
      default:
        return null
    }
  }

  /** A copy: what SQLite shows is gone with the next step. */
  #bytes(from: number, at: number): Uint8Array<ArrayBuffer> {
    const { heap, statement } = this.#parts
    const length = heap._sqlite3_column_bytes(statement, at)
    return new Uint8Array(heap.HEAPU8.subarray(from, from + length))
  }

  #integer(low: number, high: number): number | bigint {
    if (this.#bigints) return (BigInt(high) << 32n) | BigInt(low >>> 0)
    return high * 0x1_0000_0000 + (low >>> 0)
  }

  #bind(position: number, value: SqlValue): void {
    const code = this.#bindValue(position, value)
    if (code !== 0) throw this.#parts.failure(code)
  }

  #bindValue(position: number, value: SqlValue): number {
    const { heap, statement } = this.#parts
    if (value === null) return heap._sqlite3_bind_null(statement, position)
    if (typeof value === 'bigint') return this.#bindInteger(position, value)
    if (typeof value === 'number')
      return Number.isSafeInteger(value)
        ? this.#bindInteger(position, BigInt(value))
        : heap._sqlite3_bind_double(statement, position, value)
    const bytes = typeof value === 'string' ? utf8.encoder.encode(value) : value
    const bind = typeof value === 'string' ? heap._sqlite3_bind_text : heap._sqlite3_bind_blob
    // One byte at least: a null pointer would mean NULL.
    return withBytes(heap, bytes, (at) => bind(statement, position, at, bytes.length, TRANSIENT))
  }

  #bindInteger(position: number, value: bigint): number {
    const { heap, statement } = this.#parts
    const low = Number(BigInt.asIntN(32, value))
    return heap._sqlite3_bind_int64(statement, position, low, Number(BigInt.asIntN(32, value >> 32n)))
  }
}

const withText = <T>(heap: SqliteCalls, text: string, work: (at: number) => T): T => withBytes(heap, utf8.encoder.encode(`${text}\0`), work)

function withBytes<T>(heap: SqliteCalls, bytes: Uint8Array, work: (at: number) => T): T {
  const at = heap._malloc(Math.max(bytes.length, 1))
  heap.HEAPU8.set(bytes, at)
  try {
    return work(at)
  } finally {
    heap._free(at)
  }
}
