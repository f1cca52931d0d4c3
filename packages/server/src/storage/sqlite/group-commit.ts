/**
 * Group commit: everything that wants to be durable in one turn of the event loop, or while a commit is under way, shares
 * one transaction and one fsync. A promise resolves only after COMMIT has returned.
 *
 * Each piece of work stands alone: it is refused alone, and one that fails by a fault is undone with its whole batch,
 * which is then run again piece by piece, so that only the broken one suffers.
 */
import { Refusal } from '@tacit/contract'
import { takeBatch, type Bounds } from '../fair-batch.ts'
import type { SqliteConnection } from './engine.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import { isDiskFault, isDiskFull } from './sqlite-faults.ts'

export interface GroupCommit {
  /**
   * Runs `work` in the next shared transaction that has room: in the order asked, and where not all have room, in turns by who sent it.
   * It may throw a `Refusal`, but only before it writes.
   */
  submit<T>(work: Work<T>, from?: Sent): Promise<T>
  /** As `submit`, but waits a little for company: for what nobody waits for. */
  submitUnhurried<T>(work: Work<T>): Promise<T>
  /** Resolves when everything handed in so far is on stable storage or refused, and nothing else waits. */
  settled(): Promise<void>
}

/** For whom work is done, and what is written with it. */
export interface Sent {
  readonly sender: string
  readonly bytes: { readonly length: number }
}

export type Work<T> = (transaction: SharedTransaction) => T

/** One transaction; what belongs to another one is another object, also when the same work is run again. */
export class SharedTransaction {
  readonly sqlite: SqliteConnection
  readonly #last: (() => void)[] = []

  constructor(sqlite: SqliteConnection) {
    this.sqlite = sqlite
  }

  /** Runs `write` after all work of this transaction, before its commit. */
  atEnd(write: () => void): void {
    this.#last.push(write)
  }

  end(): void {
    for (const write of this.#last) write()
  }
}

export interface GroupCommitOptions {
  readonly database: Pick<SqliteDatabase, 'exclusive'>
  /** Work that may wait at once; beyond it new work is refused as `unavailable`. */
  readonly maxQueued?: number
  /** Most pieces of work in one transaction. */
  readonly maxBatch?: number
  /** Most bytes that were sent with them. */
  readonly maxBytes?: number
  /** How long unhurried work waits for company, milliseconds. */
  readonly patience?: number
  /** Hears how many pieces shared a commit. */
  readonly onBatch?: (size: number) => void
  /** Hears that the disk failed: what was written is in doubt, and the process must end without answering. */
  readonly onDiskFault?: (error: unknown) => void
}

export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  return new Batches({ ...DEFAULTS, ...options })
}

/** The larger a batch, the less each piece of it costs: a page that several of them touch is written once. */
const BATCH = { maxBatch: 4096, maxBytes: 4 * 1024 * 1024 } as const
const DEFAULTS = { ...BATCH, maxQueued: 8192, patience: 25, onBatch: () => undefined, onDiskFault: crash } as const

class Batches implements GroupCommit {
  readonly #options: Required<GroupCommitOptions>
  readonly #bounds: Bounds<AnyJob>
  #queue: AnyJob[] = []
  #scheduled = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: Required<GroupCommitOptions>) {
    this.#options = options
    const { maxBatch: maxItems, maxBytes } = options
    this.#bounds = { maxItems, maxBytes, ownerOf: ({ from }) => from?.sender, sizeOf: ({ from }) => from?.bytes.length ?? 0 }
  }

  submit<T>(work: Work<T>, from?: Sent): Promise<T> {
    const answer = this.#add(work, from)
    this.#schedule()
    return answer
  }

  submitUnhurried<T>(work: Work<T>): Promise<T> {
    const answer = this.#add(work)
    if (!this.#scheduled) this.#timer ??= setTimeout(() => this.#schedule(), this.#options.patience)
    return answer
  }

  async settled(): Promise<void> {
    do await this.submit(() => undefined)
    while (this.#queue.length > 0)
  }

  #add<T>(work: Work<T>, from?: Sent): Promise<T> {
    if (this.#queue.length >= this.#options.maxQueued) return Promise.reject(new Refusal('unavailable', { retryAfter: 1 }))
    return new Promise((resolve, reject) => this.#queue.push(new Job({ work, from, resolve, reject })))
  }

  /** After the poll phase: by then every socket that was readable in this turn has handed in its work. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => void this.#commit())
  }

  async #commit(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#commitTogether()
    this.#scheduled = false
    if (this.#queue.length > 0) this.#schedule()
  }

  async #commitTogether(): Promise<void> {
    let batch: AnyJob[] = []
    try {
      await this.#options.database.exclusive((sqlite) => {
        batch = takeBatch(this.#queue, this.#bounds)
        runIn(sqlite, batch)
      })
    } catch (error) {
      // The queue belongs to a database that takes no transaction at all when not even the batch was taken.
      if (batch.length === 0) batch = this.#queue.splice(0)
      if (isDiskFault(error)) this.#options.onDiskFault(error)
      else await this.#commitEach(batch, error)
      return
    }
    this.#options.onBatch(batch.length)
    for (const job of batch) job.resolve()
  }

  async #commitEach(batch: readonly AnyJob[], error: unknown): Promise<void> {
    const [only] = batch
    if (only && batch.length === 1) return only.reject(asRefusal(error))
    for (const job of batch) {
      try {
        await this.#options.database.exclusive((sqlite) => runIn(sqlite, [job]))
        job.resolve()
      } catch (fault) {
        job.reject(asRefusal(fault))
      }
    }
  }
}

type AnyJob = Pick<Job<never>, 'from' | 'run' | 'resolve' | 'reject'>

type Outcome<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'refused'; readonly refusal: Refusal } | undefined

interface Asked<T> {
  readonly work: Work<T>
  readonly from: Sent | undefined
  resolve(value: T): void
  reject(error: unknown): void
}

/** A piece of work and whoever waits for it. It may run several times, in transactions that are undone. */
class Job<T> {
  readonly #asked: Asked<T>
  #outcome: Outcome<T>

  constructor(asked: Asked<T>) {
    this.#asked = asked
  }

  get from(): Sent | undefined {
    return this.#asked.from
  }

  run(transaction: SharedTransaction): void {
    this.#outcome = undefined
    try {
      this.#outcome = { kind: 'done', value: this.#asked.work(transaction) }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.#outcome = { kind: 'refused', refusal: error }
    }
  }

  resolve(): void {
    if (this.#outcome?.kind === 'done') this.#asked.resolve(this.#outcome.value)
    else this.#asked.reject(this.#outcome?.refusal ?? new Error('the work did not run'))
  }

  reject(error: unknown): void {
    this.#asked.reject(error)
  }
}

function runIn(sqlite: SqliteConnection, jobs: readonly AnyJob[]): void {
  const transaction = new SharedTransaction(sqlite)
  for (const job of jobs) job.run(transaction)
  transaction.end()
}

const asRefusal = (error: unknown): unknown => (isDiskFull(error) ? new Refusal('storage_full') : error)

function crash(error: unknown): never {
  throw error
}
