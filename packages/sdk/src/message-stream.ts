/** Messages for a reader that takes them one by one; bounded, the oldest go first. */
import type { IncomingMessage } from './api.ts'

const MOST = 10_000

export class MessageStream {
  readonly #queue: IncomingMessage[] = []
  readonly #ended: () => void
  #over = false
  #wake = () => {}

  constructor(ended: () => void) {
    this.#ended = ended
  }

  push(messages: readonly IncomingMessage[]): void {
    this.#queue.push(...messages)
    if (this.#queue.length > MOST) this.#queue.splice(0, this.#queue.length - MOST)
    this.#wake()
  }

  end(): void {
    this.#over = true
    this.#wake()
  }

  async *iterate(): AsyncIterableIterator<IncomingMessage> {
    try {
      while (!this.#over || this.#queue.length > 0) {
        const next = this.#queue.shift()
        if (next) yield next
        else await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      this.#ended()
    }
  }
}
