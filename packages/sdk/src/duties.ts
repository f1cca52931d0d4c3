/**
 * What this device is doing or is about to do for the others: counted from the moment it is decided, so that nothing lies
 * between one duty and the one that follows from it. Whoever wants to leave politely waits until none is left.
 */
import type { Clock } from './surroundings.ts'

export class Duties {
  readonly #clock: Pick<Clock, 'after'>
  readonly #waiting = new Set<{ readonly look: () => void; readonly end: () => void }>()
  #open = 0

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock
  }

  /** Returns the way to say that it is done; said twice it counts once. */
  begin(): () => void {
    this.#open += 1
    let isOpen = true
    return () => {
      if (!isOpen) return
      isOpen = false
      this.#open -= 1
      if (this.#open === 0) for (const { look } of this.#waiting) look()
    }
  }

  /** Counts for as long as `work` takes. */
  async during<T>(work: Promise<T>): Promise<T> {
    const done = this.begin()
    try {
      return await work
    } finally {
      done()
    }
  }

  /** Resolves when there is nothing to do, at the latest after so many milliseconds. */
  rest(within: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#waiting.delete(waiting)
        stop()
        resolve()
      }
      // A turn later: what has just ended may have led to more.
      const look = (): void => void this.#clock.after(0, () => this.#open === 0 && end())
      const stop = this.#clock.after(within, end)
      const waiting = { look, end }
      this.#waiting.add(waiting)
      if (this.#open === 0) look()
    })
  }

  /** Nothing more will be done: whoever waits need not. */
  close(): void {
    for (const { end } of this.#waiting) end()
  }
}
