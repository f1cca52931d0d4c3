/** How many may wait for a transaction (L-27): a database that is slow must not fill the memory with those who wait for it. */
import { Refusal } from '@tacit/contract'

const LONGEST = 500

export class WaitingLine {
  #length = 0

  /** Refuses `unavailable` when too many are under way or wait. */
  async join<T>(work: () => Promise<T>): Promise<T> {
    if (this.#length >= LONGEST) throw new Refusal('unavailable', { retryAfter: 1 })
    this.#length += 1
    try {
      return await work()
    } finally {
      this.#length -= 1
    }
  }
}
