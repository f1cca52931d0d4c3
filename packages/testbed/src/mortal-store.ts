/** A device's database whose process can die at any write: before it happened, or after it, with nobody told. */
import type { StoreDriver, Writer } from '@tacit/sdk'

export type Death = { readonly before: number } | { readonly after: number }

export class MortalStore implements StoreDriver {
  readonly #store: StoreDriver
  #writes = 0
  #death: Death | undefined
  #dead = false
  readonly #died: () => void

  /** `died` is called once, when it happens. */
  constructor(store: StoreDriver, died: () => void) {
    this.#store = store
    this.#died = died
  }

  /** The process dies at the given write, counted from 1 from now on. */
  dieAt(death: Death): void {
    this.#writes = 0
    this.#death = death
  }

  all(...given: Parameters<StoreDriver['all']>) {
    return this.#dead ? this.#never() : this.#store.all(...given)
  }

  get(...given: Parameters<StoreDriver['get']>) {
    return this.#dead ? this.#never() : this.#store.get(...given)
  }

  async transaction<T>(work: (writer: Writer) => Promise<T>): Promise<T> {
    if (this.#dead) return this.#never()
    const write = ++this.#writes
    const death = this.#death
    if (death && 'before' in death && death.before === write) return this.die()
    const result = await this.#store.transaction(work)
    return death && 'after' in death && death.after === write ? this.die() : result
  }

  /** A dead process closes nothing; the file is let go for the next one. */
  close(): Promise<void> {
    return this.#store.close()
  }

  wipe(): Promise<void> {
    return this.#store.wipe()
  }

  /** The process dies here and now. */
  die(): Promise<never> {
    this.#dead = true
    this.#died()
    return this.#never()
  }

  /** Nothing that waits for a dead process goes on. */
  #never(): Promise<never> {
    return new Promise(() => undefined)
  }
}
