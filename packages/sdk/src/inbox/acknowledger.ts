/**
 * Acknowledgements, after what they cover is on disk. Those that come close together share a frame; one that did not get
 * through is said again with the next, because the server waits for room in its window.
 */
import { limits, type BodyOf, type CommandName, type ConversationId, type ResultOf } from '@tacit/contract'
import type { Duties } from '../duties.ts'
import type { Clock } from '../surroundings.ts'

/** Milliseconds in which acknowledgements are gathered; far less than the window takes to fill. */
const GATHER = 20
const AGAIN = 2000

export interface AcknowledgerParts {
  readonly clock: Clock
  readonly duties: Duties
  readonly wire: { send<N extends CommandName>(name: N, body: BodyOf<N>): Promise<ResultOf<N>> }
}

export class Acknowledger {
  readonly #parts: AcknowledgerParts
  readonly #pending = new Map<ConversationId, number>()
  /** Received on this socket and neither stored nor passed over. */
  readonly #withheld = new Map<ConversationId, number>()
  /** Counts sockets, so that an answer of an ended one changes nothing. */
  #connection = 0
  #stopTimer: (() => void) | undefined

  constructor(parts: AcknowledgerParts) {
    this.#parts = parts
  }

  stored(conversation: ConversationId, seq: number): void {
    this.#pending.set(conversation, Math.max(seq, this.#pending.get(conversation) ?? 0))
    this.#later(GATHER)
  }

  /** Not to be acknowledged yet, though it takes up room in the server's window. */
  withhold(conversation: ConversationId, seq: number): void {
    this.#withheld.set(conversation, Math.max(seq, this.#withheld.get(conversation) ?? 0))
  }

  /** What was withheld will never be stored here: the window must not wait for it. */
  release(conversation: ConversationId): void {
    const seq = this.#withheld.get(conversation)
    this.#withheld.delete(conversation)
    if (seq !== undefined) this.stored(conversation, seq)
  }

  /** The socket ended: the next one begins with the cursors themselves. */
  disconnected(): void {
    this.#connection++
    this.#stopTimer?.()
    this.#pending.clear()
    this.#withheld.clear()
  }

  #later(delay: number): void {
    if (this.#stopTimer) return
    const done = this.#parts.duties.begin()
    const stop = this.#parts.clock.after(delay, () => {
      this.#stopTimer = undefined
      void this.#flush().finally(done)
    })
    this.#stopTimer = () => {
      this.#stopTimer = undefined
      stop()
      done()
    }
  }

  async #flush(): Promise<void> {
    const cursors = [...this.#pending].slice(0, limits.cursorsPerFrame).map(([conversation, seq]) => ({ conversation, seq }))
    if (cursors.length === 0) return
    const connection = this.#connection
    for (const { conversation } of cursors) this.#pending.delete(conversation)
    try {
      await this.#parts.wire.send('delivery.acknowledge', { cursors })
    } catch {
      // Of a socket that has ended nothing is said again: the next one begins with the cursors, and after a close there is none.
      if (connection !== this.#connection) return
      for (const { conversation, seq } of cursors) this.#pending.set(conversation, Math.max(seq, this.#pending.get(conversation) ?? 0))
      this.#later(AGAIN)
    }
    if (this.#pending.size > 0) this.#later(GATHER)
  }
}
