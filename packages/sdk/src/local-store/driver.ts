/**
 * The device's database, as the SDK uses it: SQLite everywhere (node:sqlite in the terminal, encrypted wa-sqlite on OPFS
 * in the browser, in memory for tests), one SQL text, one conformance suite (conformance.ts).
 *
 * Transactions are serialised. When `transaction` resolves, what it wrote survives a crash; when it rejects, nothing of
 * it happened. Never await network or cryptography inside one.
 */
export type SqlValue = string | number | bigint | Uint8Array | null
export type Row = Readonly<Record<string, SqlValue>>

export interface Reader {
  all(sql: string, parameters?: readonly SqlValue[]): Promise<readonly Row[]>
  /** The first row, if any. */
  get(sql: string, parameters?: readonly SqlValue[]): Promise<Row | undefined>
}

export interface Writer extends Reader {
  run(sql: string, parameters?: readonly SqlValue[]): Promise<void>
}

export interface StoreDriver extends Reader {
  transaction<T>(work: (writer: Writer) => Promise<T>): Promise<T>
  close(): Promise<void>
  /** Closes and erases everything, the key included. */
  wipe(): Promise<void>
}
