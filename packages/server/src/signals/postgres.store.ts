/** Keeping signals on PostgreSQL: all that came close together in one statement. */
import { CURRENT_TX } from '../bus/written.store.ts'
import type { Lane } from '../storage/postgres/lane.ts'
import type { NewKeptSignal, SignalStore } from './signals.store.ts'

/** How long they wait for company, milliseconds. */
const PATIENCE = 25

const keep = (tx: string): string => `
INSERT INTO kept_signal (conversation, device, epoch, bytes, tx)
SELECT m.conversation, m.device, w.epoch, substring($6::bytea FROM w.start FOR w.size), ${tx}
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::int[], $5::int[]) AS w(conversation, device, epoch, start, size)
JOIN membership m ON m.conversation = w.conversation AND m.device = w.device AND m.to_seq IS NULL
ORDER BY m.conversation, m.device
ON CONFLICT (conversation, device) DO UPDATE SET epoch = excluded.epoch, bytes = excluded.bytes, tx = excluded.tx`

export class PostgresSignalStore implements SignalStore {
  readonly #lane: Lane
  readonly #keep: string

  /** `several`: there are other servers, which look for what was stored lately. */
  constructor(lane: Lane, { several }: { readonly several: boolean }) {
    this.#lane = lane
    this.#keep = keep(several ? CURRENT_TX : 'NULL')
  }

  async keep(take: () => readonly NewKeptSignal[]): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, PATIENCE))
    const signals = take()
    let end = 1
    const starts = signals.map(({ bytes }) => (end += bytes.length) - bytes.length)
    const values = [
      signals.map(({ conversation }) => conversation),
      signals.map(({ sender }) => sender),
      signals.map(({ epoch }) => epoch),
      starts,
      signals.map(({ bytes }) => bytes.length),
      Buffer.concat(signals.map(({ bytes }) => bytes)),
    ]
    await this.#lane.run((client) => client.query({ name: 'keep', text: this.#keep, values }))
  }
}
