/**
 * Values that nobody waits for: those that come close together are written together, and of several under one key only
 * the last that counts.
 */
export interface GatheredOptions<Value> {
  key(value: Value): string
  /** Whether `value` takes the place of `waiting`, which has the same key. */
  supersedes(value: Value, waiting: Value): boolean
  /** Calls `take` when it is time to write; resolves when what it gave is on stable storage. */
  write(take: () => readonly Value[]): Promise<void>
}

export class Gathered<Value> {
  readonly #options: GatheredOptions<Value>
  #waiting = new Map<string, Value>()
  #writing: Promise<void> | undefined

  constructor(options: GatheredOptions<Value>) {
    this.#options = options
  }

  /** Resolves when the value, or one that took its place, is on stable storage. */
  put(value: Value): Promise<void> {
    const { key, supersedes, write } = this.#options
    const name = key(value)
    const waiting = this.#waiting.get(name)
    if (waiting === undefined || supersedes(value, waiting)) this.#waiting.set(name, value)
    return (this.#writing ??= write(() => this.#take()))
  }

  #take(): readonly Value[] {
    const taken = [...this.#waiting.values()]
    this.#waiting = new Map()
    this.#writing = undefined
    return taken
  }
}
