/** Work in order by name: what concerns one conversation is done one after the other, what concerns two is not held up. */

export class InOrder<Name> {
  readonly #last = new Map<Name, Promise<unknown>>()

  /** Runs `work` after what was asked before under the same name, whatever became of it. */
  async run<T>(name: Name, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve()
    const turn = before.then(work, work)
    this.#last.set(name, turn)
    try {
      return await turn
    } finally {
      if (this.#last.get(name) === turn) this.#last.delete(name)
    }
  }
}
