/** Work in order by name: what concerns one conversation is done one after the other, what concerns two is not held up. */
import { Refusal } from '@tacit/contract'

interface Row {
  last: Promise<unknown>
  /** Under way, and behind it. */
  length: number
}

/** More than all members of a conversation would ask for at once in earnest. */
const LONGEST = 1024

export class InOrder<Name> {
  readonly #longest: number
  readonly #rows = new Map<Name, Row>()

  constructor(longest = LONGEST) {
    this.#longest = longest
  }

  /** Runs `work` after what was asked before under the same name, whatever became of it. Refuses `unavailable` when too many wait. */
  async run<T>(name: Name, work: () => Promise<T>): Promise<T> {
    const row = this.#rows.get(name) ?? { last: Promise.resolve(), length: 0 }
    if (row.length >= this.#longest) throw new Refusal('unavailable', { retryAfter: 1 })
    const turn = row.last.then(work, work)
    row.last = turn
    row.length += 1
    this.#rows.set(name, row)
    try {
      return await turn
    } finally {
      row.length -= 1
      if (row.length === 0) this.#rows.delete(name)
    }
  }
}
