/**
 * What devices say they have stored. Nobody waits for it, so acknowledgements that come close together share a
 * transaction, and of several for one place only the furthest is written.
 */
import type { ConversationId, DeviceId } from '@tacit/contract'
import type { AcceptDeps } from './accept-message.ts'

interface Place {
  readonly conversation: ConversationId
  readonly device: DeviceId
  seq: number
}

export class StoredCursors {
  readonly #deps: Pick<AcceptDeps, 'groupCommit' | 'writer' | 'metrics'>
  #pending = new Map<string, Place>()
  #flush: Promise<void> | undefined

  constructor(deps: Pick<AcceptDeps, 'groupCommit' | 'writer' | 'metrics'>) {
    this.#deps = deps
  }

  /** Resolves when the position is on stable storage. Backward ones change nothing. */
  advance({ conversation, device, seq }: Readonly<Place>): Promise<void> {
    const key = conversation + device
    const place = this.#pending.get(key)
    if (!place) this.#pending.set(key, { conversation, device, seq })
    else place.seq = Math.max(place.seq, seq)
    return (this.#flush ??= this.#write())
  }

  #write(): Promise<void> {
    return this.#deps.groupCommit.submitUnhurried((sqlite) => {
      const writer = this.#deps.writer(sqlite)
      const places = this.#pending
      this.#pending = new Map()
      this.#flush = undefined
      for (const place of places.values()) if (!writer.advanceCursor(place)) this.#deps.metrics.cursorWentBack()
    })
  }
}
