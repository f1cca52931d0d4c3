/** The queries of retention. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { ConversationId } from '@tacit/contract'
import { rowsAs } from '../storage/rows.ts'

export interface LogToTrim {
  readonly conversation: ConversationId
  readonly epoch: number
  /** The furthest position that every member device has stored. */
  readonly storedByAll: number
}

export interface AgedEntry {
  readonly seq: number
  readonly time: number
}

const LOG = `SELECT log.conversation, log.epoch,
  coalesce((SELECT min(cursor) FROM membership WHERE membership.conversation = log.conversation AND to_seq IS NULL), log.head) AS storedByAll
  FROM log`

export class RetentionStore {
  readonly #next: StatementSync
  readonly #log: StatementSync
  readonly #oldest: StatementSync
  readonly #empty: StatementSync
  readonly #dropHashes: StatementSync

  constructor(sqlite: DatabaseSync) {
    this.#next = sqlite.prepare(`${LOG} WHERE log.conversation > ? ORDER BY log.conversation LIMIT ?`)
    this.#log = sqlite.prepare(`${LOG} WHERE log.conversation = ?`)
    this.#oldest = sqlite.prepare('SELECT seq, time FROM entry WHERE conversation = ? AND bytes IS NOT NULL ORDER BY seq LIMIT ?')
    this.#empty = sqlite.prepare('UPDATE entry SET bytes = NULL WHERE conversation = ? AND seq <= ? AND bytes IS NOT NULL')
    // The last entry of each device keeps its row: only with its hash can a repeat be answered as before.
    this.#dropHashes = sqlite.prepare(
      `DELETE FROM entry WHERE conversation = ? AND bytes IS NULL AND epoch < ? AND NOT EXISTS (SELECT 1 FROM membership
         WHERE membership.conversation = entry.conversation AND membership.device = entry.sender AND membership.client_seq = entry.client_seq)`,
    )
  }

  /** The logs after a conversation, by id. */
  next(after: string, limit: number): LogToTrim[] {
    return rowsAs<LogToTrim>(this.#next.all(after, limit))
  }

  log(conversation: ConversationId): LogToTrim | undefined {
    return this.#log.get(conversation) as LogToTrim | undefined
  }

  oldest(conversation: ConversationId, limit: number): AgedEntry[] {
    return rowsAs<AgedEntry>(this.#oldest.all(conversation, limit))
  }

  /** Takes the bytes of all entries up to `seq`. */
  empty(conversation: ConversationId, seq: number): void {
    this.#empty.run(conversation, seq)
  }

  /** Forgets emptied entries of epochs before the given one, but for the last of each device. */
  dropHashes(conversation: ConversationId, epoch: number): void {
    this.#dropHashes.run(conversation, epoch)
  }
}
