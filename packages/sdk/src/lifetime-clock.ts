/**
 * A clock for something that ends: at the end it forgets every timer and sets no more, whoever still asks. Without it a
 * retry that fails because of the end would plan the next retry, for ever, and keep the process alive.
 */
import type { Clock } from './surroundings.ts'

export class LifetimeClock implements Clock {
  readonly #clock: Clock
  readonly #timers = new Set<() => void>()
  #ended = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  after(delay: number, work: () => void): () => void {
    if (this.#ended) return () => undefined
    const cancel = this.#clock.after(delay, () => {
      this.#timers.delete(stop)
      work()
    })
    const stop = (): void => {
      this.#timers.delete(stop)
      cancel()
    }
    this.#timers.add(stop)
    return stop
  }

  end(): void {
    this.#ended = true
    for (const stop of this.#timers) stop()
  }
}
