/** A clock that a test moves by hand. */
import type { Clock } from './surroundings.ts'

export class HandClock implements Clock {
  #now = 1_800_000_000_000
  #timers: { readonly at: number; readonly work: () => void }[] = []

  now(): number {
    return this.#now
  }

  after(delay: number, work: () => void): () => void {
    const timer = { at: this.#now + delay, work }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Milliseconds until the next timer; undefined when there is none. */
  get next(): number | undefined {
    return this.#timers.length === 0 ? undefined : Math.min(...this.#timers.map(({ at }) => at)) - this.#now
  }

  /** Moves without running timers, as for a machine that slept or was set to another time. */
  jump(milliseconds: number): void {
    this.#now += milliseconds
  }

  /** Moves on, running timers in their order, and lets what they began settle. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).toSorted((left, right) => left.at - right.at)[0]
      if (!due) break
      this.#timers = this.#timers.filter((other) => other !== due)
      this.#now = Math.max(this.#now, due.at)
      due.work()
      await settled()
    }
    this.#now = end
    await settled()
  }
}

/** Resolves when promises that were ready have run. */
export const settled = (): Promise<void> =>
  new Promise((resolve) => ('setImmediate' in globalThis ? setImmediate(resolve) : setTimeout(resolve)))
