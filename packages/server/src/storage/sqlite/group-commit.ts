/**
 * Group commit: everything that wants to be durable in one turn of the event loop, or while a commit is under way, shares
 * one transaction and one fsync. A promise resolves only after COMMIT has returned.
 *
 * Each piece of work stands alone: it is refused alone, and one that fails by a fault is undone with its whole batch,
 * which is then run again piece by piece, so that only the broken one suffers.
 */
import { Refusal } from '@tacit/contract'
import type { SqliteConnection } from './engine.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import { isDiskFault, isDiskFull } from './sqlite-faults.ts'

export interface GroupCommit {
  /** Runs `work` in the next shared transaction, in the order asked. It may throw a `Refusal`, but only before it writes. */
  submit<T>(work: (sqlite: SqliteConnection) => T): Promise<T>
  /** As `submit`, but waits a little for company: for what nobody waits for. */
  submitUnhurried<T>(work: (sqlite: SqliteConnection) => T): Promise<T>
}

export interface GroupCommitOptions {
  readonly database: Pick<SqliteDatabase, 'exclusive'>
  /** Work that may wait at once; beyond it new work is refused as `unavailable`. */
  readonly maxQueued?: number
  /** Most pieces of work in one transaction. */
  readonly maxBatch?: number
  /** How long unhurried work waits for company, milliseconds. */
  readonly patience?: number
  /** Hears how many pieces shared a commit. */
  readonly onBatch?: (size: number) => void
  /** Hears that the disk failed: what was written is in doubt, and the process must end without answering. */
  readonly onDiskFault?: (error: unknown) => void
}

interface Job {
  run(sqlite: SqliteConnection): void
  resolve(): void
  reject(error: unknown): void
}

export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  return new Batches({ maxQueued: 8192, maxBatch: 1024, patience: 25, onBatch: () => undefined, onDiskFault: crash, ...options })
}

class Batches implements GroupCommit {
  readonly #options: Required<GroupCommitOptions>
  #queue: Job[] = []
  #scheduled = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: Required<GroupCommitOptions>) {
    this.#options = options
  }

  submit<T>(work: (sqlite: SqliteConnection) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#add(asJob({ work, resolve, reject }))) return
      this.#schedule()
    })
  }

  submitUnhurried<T>(work: (sqlite: SqliteConnection) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#add(asJob({ work, resolve, reject })) || this.#scheduled) return
      this.#timer ??= setTimeout(() => this.#schedule(), this.#options.patience)
    })
  }

  #add(job: Job): boolean {
    if (this.#queue.length >= this.#options.maxQueued) {
      job.reject(new Refusal('unavailable', { retryAfter: 1 }))
      return false
    }
    this.#queue.push(job)
    return true
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
    let batch: Job[] = []
    try {
      await this.#options.database.exclusive((sqlite) => {
        batch = this.#queue.splice(0, this.#options.maxBatch)
        for (const job of batch) job.run(sqlite)
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

  async #commitEach(batch: readonly Job[], error: unknown): Promise<void> {
    const [only] = batch
    if (only && batch.length === 1) return only.reject(asRefusal(error))
    for (const job of batch) {
      try {
        await this.#options.database.exclusive((sqlite) => job.run(sqlite))
        job.resolve()
      } catch (fault) {
        job.reject(asRefusal(fault))
      }
    }
  }
}

type Outcome<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'refused'; readonly refusal: Refusal } | undefined

interface Asked<T> {
  work(sqlite: SqliteConnection): T
  resolve(value: T): void
  reject(error: unknown): void
}

function asJob<T>({ work, resolve, reject }: Asked<T>): Job {
  let outcome: Outcome<T>
  return {
    run(sqlite) {
      outcome = undefined
      outcome = attempt(() => work(sqlite))
    },
    resolve() {
      if (outcome?.kind === 'done') resolve(outcome.value)
      else reject(outcome?.refusal ?? new Error('the work did not run'))
    },
    reject,
  }
}

function attempt<T>(work: () => T): Outcome<T> {
  try {
    return { kind: 'done', value: work() }
  } catch (error) {
    if (error instanceof Refusal) return { kind: 'refused', refusal: error }
    throw error
  }
}

const asRefusal = (error: unknown): unknown => (isDiskFull(error) ? new Refusal('storage_full') : error)

function crash(error: unknown): never {
  throw error
}
