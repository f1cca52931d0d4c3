/** A device's clock that can be put forward, and whose timers can be made to run faster. */
import { platformClock, type Clock } from '@tacit/sdk'

export class ShiftedClock implements Clock {
  /** Milliseconds. */
  ahead = 0
  readonly #pace: number

  /** `pace`: how many seconds of a timer pass in a real one. */
  constructor({ pace = 1 }: { readonly pace?: number } = {}) {
    this.#pace = pace
  }

  now = (): number => platformClock.now() + this.ahead
  after = (delay: number, work: () => void): (() => void) => platformClock.after(delay / this.#pace, work)
}
