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

/**
 * A snapshot of the store. It is read when it is first asked for, and after each `refresh` while somebody watches; one
 * reading at a time, and what changes meanwhile leads to one more. An equal snapshot stays the same object.
 */
export class LiveQuery<T> implements Live<T> {
  readonly #value: LiveValue<T>
  readonly #load: () => Promise<T>
  #text: string | undefined
  #state: 'stale' | 'fresh' | 'reading' | 'reading_again' = 'stale'

  constructor(initial: T, load: () => Promise<T>) {
    this.#value = new LiveValue(initial)
    this.#load = load
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

  #start(): void {
    this.#state = 'reading'
    // A store that is closed or broken says so to the verbs; a snapshot just stays what it was.
    void this.#load().then(
      (value) => this.#finish(value),
      () => this.#settle(),
    )
  }

  #finish(value: T): void {
    const text = JSON.stringify(value)
    const again = this.#settle()
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
