/**
 * The part of every store driver that does not depend on where SQLite runs: one queue for reads and transactions, begin
 * and commit around the work, and the end of a writer's life with its transaction.
 *
 * Reads outside a transaction wait for the transactions before them, so nobody ever sees what may still be rolled back.
 * For the same reason, calling the driver instead of the writer inside a transaction and awaiting it never returns.
 */
import type { Row, SqlValue, StoreDriver, Writer } from './driver.ts'
import { storeError } from './failure.ts'

/** One SQLite connection; rejects with `StoreError` only. Calls may come before earlier ones have finished. */
export interface Connection {
  all(sql: string, parameters: readonly SqlValue[]): readonly Row[] | Promise<readonly Row[]>
  /** Without parameters, `sql` may be a script of several statements. */
  run(sql: string, parameters: readonly SqlValue[]): void | Promise<void>
  /** False as soon as SQLite itself gave up the transaction, which it does when the disk is full. */
  inTransaction(): boolean
  close(): void | Promise<void>
  /** Erases file and key; called once, after `close`. */
  erase(): void | Promise<void>
}

/** Makes a driver of a connection. */
export function serialStore(connection: Connection): StoreDriver {
  return new SerialStore(connection)
}

class SerialStore implements StoreDriver {
  readonly #connection: Connection
  readonly #queue = new Queue()
  #state: 'open' | 'closed' | 'erased' = 'open'

  constructor(connection: Connection) {
    this.#connection = connection
  }

  all(sql: string, parameters: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return this.#whenOpen(async () => this.#connection.all(sql, parameters))
  }

  async get(sql: string, parameters: readonly SqlValue[] = []): Promise<Row | undefined> {
    return (await this.all(sql, parameters))[0]
  }

  transaction<T>(work: (writer: Writer) => Promise<T>): Promise<T> {
    return this.#whenOpen(() => transact(this.#connection, work))
  }

  close(): Promise<void> {
    return this.#queue.add(() => this.#close())
  }

  wipe(): Promise<void> {
    return this.#queue.add(async () => {
      await this.#close()
      if (this.#state === 'erased') return
      this.#state = 'erased'
      await this.#connection.erase()
    })
  }

  async #close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    await this.#connection.close()
  }

  #whenOpen<T>(job: () => Promise<T>): Promise<T> {
    return this.#queue.add(async () => {
      if (this.#state !== 'open') throw storeError('closed')
      return job()
    })
  }
}

async function transact<T>(connection: Connection, work: (writer: Writer) => Promise<T>): Promise<T> {
  await connection.run('begin immediate', [])
  const writer = new TransactionWriter(connection)
  try {
    const result = await work(writer)
    await writer.end()
    writer.mustStand()
    await connection.run('commit', [])
    return result
  } catch (error) {
    await writer.end()
    if (connection.inTransaction()) await connection.run('rollback', [])
    throw error
  }
}

/** Lives as long as its transaction; a reference kept longer is refused instead of writing outside any transaction. */
class TransactionWriter implements Writer {
  readonly #connection: Connection
  readonly #queue = new Queue()
  #ended = false
  #lastError: unknown = storeError('damaged')

  constructor(connection: Connection) {
    this.#connection = connection
  }

  all(sql: string, parameters: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return this.#inTransaction(async () => this.#connection.all(sql, parameters))
  }

  async get(sql: string, parameters: readonly SqlValue[] = []): Promise<Row | undefined> {
    return (await this.all(sql, parameters))[0]
  }

  run(sql: string, parameters: readonly SqlValue[] = []): Promise<void> {
    return this.#inTransaction(async () => this.#connection.run(sql, parameters))
  }

  /** Waits for statements that the work started without awaiting them. */
  async end(): Promise<void> {
    this.#ended = true
    await this.#queue.add(async () => undefined)
  }

  /** Throws when SQLite gave up the transaction, although the work may have swallowed the error that said so. */
  mustStand(): void {
    if (!this.#connection.inTransaction()) throw this.#lastError
  }

  async #inTransaction<T>(job: () => Promise<T>): Promise<T> {
    if (this.#ended) throw storeError('closed')
    return this.#queue.add(async () => {
      // After SQLite's own rollback a further statement would commit by itself: the one thing that must not happen.
      this.mustStand()
      try {
        return await job()
      } catch (error) {
        this.#lastError = error
        throw error
      }
    })
  }
}

/** Runs jobs one after the other, whatever becomes of each. */
class Queue {
  #tail: Promise<unknown> = Promise.resolve()

  add<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(job)
    this.#tail = result.catch(() => undefined)
    return result
  }
}
