/**
 * The bus: a doorbell between the rooms and the sockets of every process. What it carries may be lost, doubled or late at
 * any moment without harm: a doorbell names what to read again, and the ephemeral ones (signals, presence, turns) promise
 * nothing. Never read a doorbell as data. With several servers, what is lost is found by reading again (rounds.ts).
 */
import type { Notice, NoticeKind, NoticeOf } from './notices.ts'

export type { Notice, NoticeKind, NoticeOf }

export interface Bus {
  /**
   * Tells every process, this one too, and this one at once. Call it only after what it announces is committed. Never throws.
   * `writtenAs`: its id, if it was written down as well (bells.ts); however often it comes it is heard once.
   */
  ring(notice: Notice, writtenAs?: string): void
  /** Listens to one kind; returns the way to stop. A listener must not throw; if it does, the others still hear. */
  listen<K extends NoticeKind>(kind: K, listener: (notice: NoticeOf<K>) => void): () => void
}
