/** Readings of the store that failed and have not worked since, as one value for the person: a screen must not look empty when it is broken. */
import type { Trouble } from './api.ts'
import { LiveValue, type ReadingEnded } from './live.ts'
import { StoreError } from './local-store/failure.ts'
import { asMessengerError } from './trouble.ts'

export class Troubles {
  readonly newest = new LiveValue<Trouble | undefined>(undefined)
  readonly #byReading = new Map<string, Trouble>()

  /** Listens to one reading. */
  of(reading: string): ReadingEnded {
    return ({ error }) => {
      this.#byReading.delete(reading)
      // A store is closed only by ourselves: on the way out there is nobody to tell.
      const ended = error instanceof StoreError && error.trouble === 'closed'
      if (error !== undefined && !ended) this.#byReading.set(reading, asTrouble(error))
      this.newest.set([...this.#byReading.values()].at(-1))
    }
  }
}

function asTrouble(error: unknown): Trouble {
  const { failure, message } = asMessengerError(error)
  return { failure, message }
}
