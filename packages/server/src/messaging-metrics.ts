/** What the rooms that carry messages count. No label names anybody. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { EntryKind } from '@tacit/contract'

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

/** `sockets` is asked when the numbers are fetched. */
export function createMessagingMetrics({ registry, sockets }: { registry: Registry; sockets: () => number }): MessagingMetrics {
  const registers = [registry]
  const entries = new Counter({ name: 'tacit_entries_total', help: 'Entries accepted into logs', labelNames: ['kind'], registers })
  const batches = new Histogram({
    name: 'tacit_commit_batch_size',
    help: 'Pieces of work that shared one durable commit',
    buckets: [1, 4, 16, 64, 256, 1024],
    registers,
  })
  const back = new Counter({ name: 'tacit_cursors_back_total', help: 'Acknowledgements of less than before', registers })
  new Gauge({
    name: 'tacit_sockets',
    help: 'Open sockets',
    registers,
    collect() {
      this.set(sockets())
    },
  })
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
