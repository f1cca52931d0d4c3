/** Takes turns: whatever reads, changes and stores the same state runs one after the other. */

export class OneAtATime {
  #tail: Promise<unknown> = Promise.resolve()

  /** Runs `work` when everything handed in before has ended. Calling it again inside `work` and awaiting that never returns. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work)
    this.#tail = result.catch(() => undefined)
    return result
  }
}
