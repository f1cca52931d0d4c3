/** Every query on the kept signals: one current value per device and conversation. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { ConversationId, DeviceId } from '@tacit/contract'
import { rowsAs } from '../storage/rows.ts'
import type { Bytes } from '../delivery/delivery.store.ts'

export interface KeptSignal {
  readonly conversation: ConversationId
  readonly sender: DeviceId
  readonly epoch: number
  readonly bytes: Bytes
}

export class SignalsWriter {
  readonly #keep: StatementSync

  constructor(sqlite: DatabaseSync) {
    // The membership is looked at again here: a signal that waited in the batch must not outlive a removal.
    this.#keep = sqlite.prepare(
      `INSERT INTO kept_signal (conversation, device, epoch, bytes)
       SELECT conversation, device, ?3, ?4 FROM membership WHERE conversation = ?1 AND device = ?2 AND to_seq IS NULL
       ON CONFLICT (conversation, device) DO UPDATE SET epoch = ?3, bytes = ?4`,
    )
  }

  keep({ conversation, sender, epoch, bytes }: Omit<KeptSignal, 'bytes'> & { bytes: Uint8Array }): void {
    this.#keep.run(conversation, sender, epoch, bytes)
  }
}

/** Where a reader of kept signals stands: they are ordered by conversation, then sender. */
export interface KeptPosition {
  readonly conversation: string
  readonly sender: string
}

export class SignalsReader {
  readonly #kept: StatementSync

  constructor(sqlite: DatabaseSync) {
    this.#kept = sqlite.prepare(
      `SELECT kept_signal.conversation, kept_signal.device AS sender, kept_signal.epoch, kept_signal.bytes
       FROM membership JOIN kept_signal ON kept_signal.conversation = membership.conversation
       WHERE membership.device = ?1 AND membership.to_seq IS NULL AND kept_signal.device <> ?1
       AND (kept_signal.conversation, kept_signal.device) > (?2, ?3)
       ORDER BY kept_signal.conversation, kept_signal.device LIMIT ?4`,
    )
  }

  /** Kept signals of others in the device's conversations, after a position. */
  keptFor(device: DeviceId, page: { after: KeptPosition; limit: number }): KeptSignal[] {
    return rowsAs<KeptSignal>(this.#kept.all(device, page.after.conversation, page.after.sender, page.limit))
  }
}
