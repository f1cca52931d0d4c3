/**
 * The hot path on SQLite: prepared statements, written inside the group commit's transaction and read on the reading
 * connection, which sees what is committed. Nothing here waits for anything but the disk.
 */
import { Refusal } from '@tacit/contract'
import type { SqliteConnection, SqliteStatement } from '../storage/sqlite/engine.ts'
import { rowAs } from '../storage/sqlite/rows.ts'
import type { SqliteDatabase } from '../storage/sqlite/sqlite-database.ts'
import type { GroupCommit } from '../storage/sqlite/group-commit.ts'
import { judgeAppend, type AppendState } from './append-rule.ts'
import type {
  Appended,
  Bytes,
  CursorAt,
  DeliveryStore,
  DeliveryStoreHears,
  NewEntry,
  Pair,
  Position,
  Range,
  StoredEntry,
} from './delivery.store.ts'

export interface SqliteDeliveryDeps {
  readonly database: SqliteDatabase
  readonly groupCommit: GroupCommit
  readonly hears: Pick<DeliveryStoreHears, 'onCursorBack'>
}

export class SqliteDeliveryStore implements DeliveryStore {
  readonly #deps: SqliteDeliveryDeps
  readonly #reads: Reads
  #writes: Writes | undefined

  constructor(deps: SqliteDeliveryDeps) {
    this.#deps = deps
    this.#reads = deps.database.read((sqlite) => new Reads(sqlite))
  }

  append(entry: NewEntry): Promise<Appended> {
    return this.#deps.groupCommit.submit((sqlite) => this.#writesOn(sqlite).append(entry))
  }

  storeCursors(take: () => readonly CursorAt[]): Promise<void> {
    return this.#deps.groupCommit.submitUnhurried((sqlite) => {
      const writes = this.#writesOn(sqlite)
      for (const cursor of take()) if (!writes.advance(cursor)) this.#deps.hears.onCursorBack()
    })
  }

  settled(): Promise<void> {
    return this.#deps.groupCommit.submit(() => undefined)
  }

  positions(pairs: readonly Pair[]): Promise<(Position | undefined)[]> {
    return Promise.resolve(this.#snapshot(pairs, (pair) => this.#reads.position(pair)))
  }

  ranges(ranges: readonly Range[]): Promise<StoredEntry[][]> {
    return Promise.resolve(this.#snapshot(ranges, (range) => this.#reads.range(range)))
  }

  #writesOn(sqlite: SqliteConnection): Writes {
    return (this.#writes ??= new Writes(sqlite))
  }

  /** Many reads in one transaction: one lock instead of one for each statement. */
  #snapshot<Asked, Found>(asked: readonly Asked[], read: (one: Asked) => Found): Found[] {
    return this.#deps.database.read((sqlite) => {
      if (asked.length < 2) return asked.map(read)
      sqlite.exec('BEGIN')
      try {
        return asked.map(read)
      } finally {
        sqlite.exec('COMMIT')
      }
    })
  }
}

/** Exists only inside the group commit's transaction. */
class Writes {
  readonly #state: SqliteStatement
  readonly #earlier: SqliteStatement
  readonly #grow: SqliteStatement
  readonly #count: SqliteStatement
  readonly #insert: SqliteStatement
  readonly #advance: SqliteStatement

  constructor(sqlite: SqliteConnection) {
    this.#state = sqlite.prepare(
      `SELECT log.epoch, log.head, membership.client_seq AS clientSeq, membership.to_seq AS toSeq
       FROM log LEFT JOIN membership ON membership.conversation = log.conversation AND membership.device = ?2
       WHERE log.conversation = ?1`,
    )
    this.#earlier = sqlite.prepare('SELECT seq, hash FROM entry WHERE conversation = ? AND sender = ? AND client_seq = ?')
    this.#grow = sqlite.prepare('UPDATE log SET head = ? WHERE conversation = ?')
    this.#count = sqlite.prepare('UPDATE membership SET client_seq = ? WHERE conversation = ? AND device = ?')
    this.#insert = sqlite.prepare(
      'INSERT INTO entry (conversation, seq, epoch, kind, sender, client_seq, time, hash, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    this.#advance = sqlite.prepare(
      `UPDATE membership SET cursor = ?3 WHERE conversation = ?1 AND device = ?2 AND cursor < ?3
       AND ?3 <= coalesce(to_seq, (SELECT head FROM log WHERE conversation = ?1))`,
    )
  }

  append(entry: NewEntry): Appended {
    const state = this.#stateFor(entry)
    if (!state) throw new Refusal('not_found')
    const verdict = judgeAppend(state, entry)
    if (verdict.kind === 'refuse') throw new Refusal(verdict.failure, verdict.details)
    if (verdict.kind === 'repeat') return this.#answerOf(entry, state)
    const { conversation, epoch, kind, sender, clientSeq, time, hash, bytes } = entry
    const { seq } = verdict
    this.#grow.run(seq, conversation)
    this.#insert.run(conversation, seq, epoch, kind, sender, clientSeq, time, hash, bytes)
    this.#count.run(clientSeq, conversation, sender)
    return { seq, hash, duplicate: false }
  }

  /** Returns whether it moved. */
  advance({ conversation, device, seq }: CursorAt): boolean {
    return this.#advance.run(conversation, device, seq).changes > 0
  }

  #stateFor({ conversation, sender }: NewEntry): AppendState | undefined {
    const row = this.#state.get(conversation, sender) as
      | { epoch: number; head: number; clientSeq: number | null; toSeq: number | null }
      | undefined
    if (!row) return undefined
    const { epoch, head, clientSeq, toSeq } = row
    return { log: { epoch, head }, membership: clientSeq === null ? undefined : { active: toSeq === null, clientSeq } }
  }

  /** Retention keeps it for a device's last entry; of an older one the counter's next value is all that can be said. */
  #answerOf({ conversation, sender, clientSeq }: NewEntry, { membership }: AppendState): Appended {
    const earlier = this.#earlier.get(conversation, sender, clientSeq) as { seq: number; hash: Bytes } | undefined
    if (!earlier) throw new Refusal('out_of_order', { expected: (membership?.clientSeq ?? 0) + 1 })
    return { seq: earlier.seq, hash: earlier.hash, duplicate: true }
  }
}

class Reads {
  readonly #position: SqliteStatement
  readonly #range: SqliteStatement

  constructor(sqlite: SqliteConnection) {
    this.#position = sqlite.prepare(
      `SELECT membership.from_seq AS fromSeq, membership.to_seq AS toSeq, log.head
       FROM membership JOIN log ON log.conversation = membership.conversation
       WHERE membership.conversation = ? AND membership.device = ?`,
    )
    this.#range = sqlite.prepare(
      `SELECT seq, epoch, kind, sender, client_seq AS clientSeq, time, bytes FROM entry
       WHERE conversation = ? AND seq > ? AND seq <= ? AND bytes IS NOT NULL ORDER BY seq LIMIT ?`,
    )
  }

  position({ conversation, device }: Pair): Position | undefined {
    return this.#position.get(conversation, device) as Position | undefined
  }

  range({ conversation, after, end, limit, bytes }: Range): StoredEntry[] {
    const found: StoredEntry[] = []
    let size = 0
    for (const row of this.#range.iterate(conversation, after, end, limit)) {
      const entry = rowAs<StoredEntry>(row)
      found.push(entry)
      size += entry.bytes.length
      if (size >= bytes) break
    }
    return found
  }
}
