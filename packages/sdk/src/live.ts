/** Values that can be watched: one that is set, and one that is read from the store again whenever something changed. */
import type { Live } from './api.ts'

/** A current value that its owner sets. */
export class LiveValue<T> implements Live<T> {
  #value: T
  readonly #listeners = new Set<() => void>()

  constructor(value: T) {
    this.#value = value
  }

  get(): T {
    return this.#value
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return
    this.#value = value
    for (const listener of this.#listeners) listener()
  }

  subscribe(listener: () => void): () => void {
    const entry = () => listener()
    this.#listeners.add(entry)
    return () => this.#listeners.delete(entry)
  }

  get watched(): boolean {
    return this.#listeners.size > 0
  }
}

/** How a reading ended: `error` is absent when it worked. */
export type ReadingEnded = (reading: { readonly error?: unknown }) => void

/**
 * A snapshot of the store. It is read when it is first asked for, and after each `refresh` while somebody watches; one
 * reading at a time, and what changes meanwhile leads to one more. An equal snapshot stays the same object. A reading that
 * fails leaves the snapshot as it was, and `ended` hears of it.
 */
export class LiveQuery<T> implements Live<T> {
  readonly #value: LiveValue<T>
  readonly #load: () => Promise<T>
  readonly #ended: ReadingEnded
  #text: string | undefined
  #state: 'stale' | 'fresh' | 'reading' | 'reading_again' = 'stale'
  #reading: Promise<void> = Promise.resolve()

  constructor(initial: T, load: () => Promise<T>, ended: ReadingEnded) {
    this.#value = new LiveValue(initial)
    this.#load = load
    this.#ended = ended
  }

  get(): T {
    if (this.#state === 'stale') this.#start()
    return this.#value.get()
  }

  subscribe(listener: () => void): () => void {
    const stop = this.#value.subscribe(listener)
    if (this.#state === 'stale') this.#start()
    return stop
  }

  get watched(): boolean {
    return this.#value.watched
  }

  /** What the snapshot was made of has changed. */
  refresh(): void {
    if (this.#state === 'reading') this.#state = 'reading_again'
    else if (this.#state === 'fresh') {
      this.#state = 'stale'
      if (this.#value.watched) this.#start()
    }
  }

  /** The same, and resolves when a reading that began after this has ended. */
  async renew(): Promise<void> {
    this.refresh()
    if (this.#state === 'reading_again') await this.#reading
    if (this.#state === 'stale') this.#start()
    await this.#reading
  }

  #start(): void {
    this.#state = 'reading'
    this.#reading = this.#load().then(
      (value) => this.#finish(value),
      (error: unknown) => this.#fail(error),
    )
  }

  #fail(error: unknown): void {
    const again = this.#settle()
    this.#ended({ error })
    if (again) this.#start()
  }

  #finish(value: T): void {
    const text = JSON.stringify(value)
    const again = this.#settle()
    this.#ended({})
    if (text !== this.#text) {
      this.#text = text
      this.#value.set(value)
    }
    if (again) this.#start()
  }

  #settle(): boolean {
    const again = this.#state === 'reading_again'
    this.#state = again ? 'stale' : 'fresh'
    return again && this.#value.watched
  }
}
