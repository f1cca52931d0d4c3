/**
 * Removals that this device asked for and that are not in the log: whoever is to go reads on until then. A server could keep one back
 * for ever (M-12), so it is counted for how long this device was connected while each waited; after a minute the person is told.
 */
import type { ConversationId } from '@tacit/contract'
import type { StoreDriver } from '../local-store/driver.ts'
import { OneAtATime } from '../one-at-a-time.ts'
import type { Clock } from '../surroundings.ts'
import { countWaiting, LATE } from './intent.store.ts'

/** How often it is counted, so that neither ends of connections nor of programs make it begin anew; milliseconds. */
const STEP = 10_000

export interface RemovalsParts {
  readonly store: StoreDriver
  readonly clock: Clock
  /** A removal became late. */
  readonly changed: (conversation: ConversationId) => void
}

export class Removals {
  readonly #parts: RemovalsParts
  readonly #turns = new OneAtATime()
  /** Up to when it is counted; undefined: not connected. */
  #counted: number | undefined
  #stop: (() => void) | undefined

  constructor(parts: RemovalsParts) {
    this.#parts = parts
  }

  /** There is a connection, whatever the server does with it. */
  connected(): void {
    this.#counted ??= this.#parts.clock.now()
    this.asked()
  }

  disconnected(): void {
    if (this.#counted === undefined) return
    this.#rest()
    void this.#count()
    this.#counted = undefined
  }

  /** One may have been asked for: from now on it is counted, until none waits that is not late. */
  asked(): void {
    if (this.#counted !== undefined) this.#stop ??= this.#parts.clock.after(STEP, () => void this.#step())
  }

  async #step(): Promise<void> {
    const left = await this.#count()
    this.#rest()
    if (left > 0) this.asked()
  }

  #rest(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  /** How many are not late yet. What cannot be stored now is counted with the next connection. */
  #count(): Promise<number> {
    const { store, clock, changed } = this.#parts
    const now = clock.now()
    // A computer that slept believed to be connected.
    const passed = Math.min(Math.max(0, now - (this.#counted ?? now)), 2 * STEP)
    this.#counted = now
    const counting = this.#turns.run(async () => {
      const waiting = await countWaiting(store, { passed, now })
      for (const { conversation, waited } of waiting) if (waited >= LATE) changed(conversation)
      return waiting.filter(({ waited }) => waited < LATE).length
    })
    return counting.catch(() => 0)
  }
}
