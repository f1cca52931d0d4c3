/** What the rooms that carry messages count. No label names anybody. */
import { Counter, Histogram, type Registry } from 'prom-client'
import { EntryKind } from '@tacit/contract'
import { measure } from './metrics.ts'

export interface MessagingMetrics {
  /** An entry is on stable storage. */
  accepted(kind: EntryKind): void
  /** How many of all kinds since the start. */
  readonly entries: number
  /** So many pieces of work shared one commit. */
  batch(size: number): void
  /** A device said that it has less than it said before. */
  cursorWentBack(): void
}

/** Asked when the numbers are fetched. */
export interface SocketNumbers {
  readonly size: number
  readonly slow: number
}

export function createMessagingMetrics({ registry, sockets }: { registry: Registry; sockets: () => SocketNumbers }): MessagingMetrics {
  const registers = [registry]
  const entries = new Counter({ name: 'tacit_entries_total', help: 'Entries accepted into logs', labelNames: ['kind'], registers })
  const batches = new Histogram({
    name: 'tacit_commit_batch_size',
    help: 'Pieces of work that shared one durable commit',
    buckets: [1, 4, 16, 64, 256, 1024],
    registers,
  })
  const back = new Counter({ name: 'tacit_cursors_back_total', help: 'Acknowledgements of less than before', registers })
  measure(registry, { name: 'tacit_sockets', help: 'Open sockets' }, () => sockets().size)
  measure(registry, { name: 'tacit_sockets_slow', help: 'Open sockets whose reader leaves too much unread' }, () => sockets().slow)
  // Finding a label's counter costs more than counting.
  const ofKind = new Map(EntryKind.options.map((kind) => [kind, entries.labels(kind)]))
  let all = 0
  return {
    accepted(kind) {
      all += 1
      ofKind.get(kind)?.inc()
    },
    get entries() {
      return all
    },
    batch: (size) => batches.observe(size),
    cursorWentBack: () => back.inc(),
  }
}
