/**
 * Acknowledgements, after what they cover is on disk. Nobody waits for one, and each costs the server as much as half a message:
 * so they are gathered, for as long as the server's window has room. One that did not get through is said again, because the
 * server waits for it when the window is full.
 */
import { ACKNOWLEDGE_WITHIN, limits, type BodyOf, type ConversationId } from '@tacit/contract'
import type { Duties } from '../duties.ts'
import type { Clock } from '../surroundings.ts'

/** What came and was not acknowledged: from here on it is acknowledged as soon as it is stored. */
const DUE = { entries: limits.windowEntries / 4, bytes: limits.windowBytes / 4 } as const
const AGAIN = 2000

export interface AcknowledgerParts {
  readonly clock: Clock
  readonly duties: Duties
  readonly wire: { send(name: 'delivery.acknowledge', body: BodyOf<'delivery.acknowledge'>): Promise<unknown> }
}

export class Acknowledger {
  readonly #parts: AcknowledgerParts
  readonly #pending = new Map<ConversationId, number>()
  /** Received on this socket and neither stored nor passed over. */
  readonly #withheld = new Map<ConversationId, number>()
  /** Came since the last acknowledgement; some of it may not be stored yet. */
  #came = { entries: 0, bytes: 0 }
  /** Counts sockets, so that an answer of an ended one changes nothing. */
  #connection = 0
  /** While `again`, an acknowledgement was refused, and none is tried before its time. */
  #timer: { readonly kind: 'gathering' | 'again'; readonly stop: () => void } | undefined

  constructor(parts: AcknowledgerParts) {
    this.#parts = parts
  }

  /** The server sent these, and counts them until they are acknowledged. */
  received(entries: readonly { readonly bytes: Uint8Array }[]): void {
    this.#came.entries += entries.length
    this.#came.bytes += entries.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  stored(conversation: ConversationId, seq: number): void {
    this.#pending.set(conversation, Math.max(seq, this.#pending.get(conversation) ?? 0))
    if (this.#came.entries >= DUE.entries || this.#came.bytes >= DUE.bytes) this.hurry()
    else this.#gather()
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

  /** Says now what was gathered. */
  hurry(): void {
    if (this.#timer?.kind === 'again' || this.#pending.size === 0) return
    this.#stopTimer()
    void this.#parts.duties.during(this.#flush())
  }

  /** The socket ended: the next one begins with the cursors themselves. */
  disconnected(): void {
    this.#connection++
    this.#stopTimer()
    this.#pending.clear()
    this.#withheld.clear()
    this.#came = { entries: 0, bytes: 0 }
  }

  #gather(): void {
    if (this.#timer) return
    const stop = this.#parts.clock.after(ACKNOWLEDGE_WITHIN, () => {
      this.#timer = undefined
      this.hurry()
    })
    this.#timer = { kind: 'gathering', stop }
  }

  #stopTimer(): void {
    this.#timer?.stop()
    this.#timer = undefined
  }

  async #flush(): Promise<void> {
    const cursors = [...this.#pending].slice(0, limits.cursorsPerFrame).map(([conversation, seq]) => ({ conversation, seq }))
    const connection = this.#connection
    for (const { conversation } of cursors) this.#pending.delete(conversation)
    this.#came = { entries: 0, bytes: 0 }
    try {
      await this.#parts.wire.send('delivery.acknowledge', { cursors })
    } catch {
      // Of a socket that has ended nothing is said again: the next one begins with the cursors, and after a close there is none.
      if (connection !== this.#connection) return
      for (const { conversation, seq } of cursors) this.#pending.set(conversation, Math.max(seq, this.#pending.get(conversation) ?? 0))
      return this.#again()
    }
    if (this.#pending.size > 0) this.#gather()
  }

  /** Tries once more in a while; a duty, because whoever wants to leave has not said how far it is. */
  #again(): void {
    if (this.#timer?.kind === 'again') return
    this.#stopTimer()
    const done = this.#parts.duties.begin()
    const stop = this.#parts.clock.after(AGAIN, () => {
      this.#timer = undefined
      this.hurry()
      done()
    })
    this.#timer = {
      kind: 'again',
      stop() {
        stop()
        done()
      },
    }
  }
}
