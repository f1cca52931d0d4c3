/**
 * Batches on a lane: everything that is handed in during one turn of the event loop, or while a batch is under way, shares
 * one statement and one fsync. A batch that fails because another transaction came between runs again; one that fails by a
 * fault is run again piece by piece, so that only the broken one suffers.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Refusal } from '@tacit/contract'
import type { Client } from 'pg'
import { takeBatch, type Bounds } from '../fair-batch.ts'
import type { Lane } from './lane.ts'
import { isCollision, postgresRefusal } from './postgres-faults.ts'

export interface BatchesOptions<Item, Answer> extends Bounds<Item> {
  readonly lane: Lane
  /** Writes a batch in one transaction of its own and answers each item in its order; `again`: it goes with the next batch. */
  write(client: Client, items: readonly Item[]): Promise<readonly (Answer | Refusal | 'again')[]>
  /** Items that may wait; beyond it new ones are refused as `unavailable` (L-27). */
  readonly maxQueued: number
  onBatch(size: number): void
}

interface Job<Item, Answer> {
  readonly item: Item
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/** How often a batch runs when others come between (F-10). */
const ATTEMPTS = 4

export class Batches<Item, Answer> {
  readonly #options: BatchesOptions<Item, Answer>
  readonly #bounds: Bounds<Job<Item, Answer>>
  #queue: Job<Item, Answer>[] = []
  #running: Promise<void> | undefined

  constructor(options: BatchesOptions<Item, Answer>) {
    this.#options = options
    const { maxItems, maxBytes, ownerOf, sizeOf } = options
    this.#bounds = { maxItems, maxBytes, ownerOf: ({ item }) => ownerOf(item), sizeOf: ({ item }) => sizeOf(item) }
  }

  submit(item: Item): Promise<Answer> {
    if (this.#queue.length >= this.#options.maxQueued) return Promise.reject(new Refusal('unavailable', { retryAfter: 1 }))
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject })
      this.#schedule()
    })
  }

  /** Resolves when everything handed in so far is on stable storage or refused. */
  settled(): Promise<void> {
    return this.#running ?? Promise.resolve()
  }

  /** After the poll phase: by then every socket that was readable in this turn has handed in its work. */
  #schedule(): void {
    this.#running ??= this.#runAll()
  }

  async #runAll(): Promise<void> {
    await nextTurn()
    while (this.#queue.length > 0)
      await this.#options.lane.run((client) => this.#runBatch(client)).catch((error: unknown) => this.#rejectAll(error))
    this.#running = undefined
  }

  /** Taken only when the connection is there, so that a batch is as large as it can be. */
  async #runBatch(client: Client): Promise<void> {
    const batch = takeBatch(this.#queue, this.#bounds)
    try {
      await this.#answer(client, batch)
    } catch (error) {
      if (batch.length === 1 || postgresRefusal(error)) for (const job of batch) job.reject(error)
      else for (const job of batch) await this.#answer(client, [job]).catch((fault: unknown) => job.reject(fault))
    }
  }

  async #answer(client: Client, batch: readonly Job<Item, Answer>[]): Promise<void> {
    const answers = await this.#written(client, batch)
    this.#options.onBatch(batch.length)
    const again = batch.filter((job, at) => {
      const answer = answers[at]
      if (answer === 'again' || answer === undefined) return true
      if (answer instanceof Refusal) job.reject(answer)
      else job.resolve(answer)
      return false
    })
    this.#queue.unshift(...again)
  }

  async #written(client: Client, batch: readonly Job<Item, Answer>[]): Promise<readonly (Answer | Refusal | 'again')[]> {
    const items = batch.map(({ item }) => item)
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#options.write(client, items)
      } catch (error) {
        if (attempt === ATTEMPTS || !isCollision(error)) throw error
      }
    }
  }

  /** There is no connection: nothing was tried, and nobody should wait for it. */
  #rejectAll(error: unknown): void {
    for (const job of this.#queue.splice(0)) job.reject(error)
  }
}
