/** The parts of `node:sqlite` that the server uses. The testbed has the same on disks that lose what was not synced. */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite'

export interface SqliteStatement {
  columns(): readonly object[]
  get(...values: SQLInputValue[]): Record<string, SQLOutputValue> | undefined
  all(...values: SQLInputValue[]): Record<string, SQLOutputValue>[]
  run(...values: SQLInputValue[]): { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint }
  iterate(...values: SQLInputValue[]): IterableIterator<Record<string, SQLOutputValue>>
  /** Whether rows are arrays in the order of the columns, whatever the types above say. */
  setReturnArrays(enabled: boolean): void
}

export interface SqliteConnection {
  readonly isTransaction: boolean
  exec(sql: string): void
  prepare(sql: string): SqliteStatement
  close(): void
}

/** Opens a file, or makes it. What it throws has SQLite's code as `errcode`. */
export type OpenSqlite = (file: string) => SqliteConnection

export const openNodeSqlite: OpenSqlite = (file) => new DatabaseSync(file)
