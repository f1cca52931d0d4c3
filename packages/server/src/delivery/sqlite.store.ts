/**
 * The hot path on SQLite: prepared statements, written inside the group commit's transaction and read on the reading
 * connection, which sees what is committed. Nothing here waits for anything but the disk.
 */
import { Refusal, type ConversationId, type DeviceId, type EntryKind } from '@tacit/contract'
import type { SqliteConnection, SqliteStatement } from '../storage/sqlite/engine.ts'
import { prepareArrays, rowAs } from '../storage/sqlite/rows.ts'
import type { SqliteDatabase } from '../storage/sqlite/sqlite-database.ts'
import type { GroupCommit, SharedTransaction } from '../storage/sqlite/group-commit.ts'
import { judgeAppend } from './append-rule.ts'
import {
  REPEATS_WITHIN,
  type Appended,
  type Bytes,
  type CursorAt,
  type DeliveryStore,
  type DeliveryStoreHears,
  type NewEntry,
  type Pair,
  type Position,
  type Range,
  type StoredEntry,
} from './delivery.store.ts'

export interface SqliteDeliveryDeps {
  readonly database: SqliteDatabase
  readonly groupCommit: GroupCommit
  readonly hears: Pick<DeliveryStoreHears, 'onCursorBack'>
}

/**
 * Entries whose places in their logs are noted together: the more, the fewer pages of the index are written for each. All that have none
 * yet are looked through for who has read what is placed, which takes a tenth of a millisecond with so many.
 */
const PLACED_TOGETHER = 512

export class SqliteDeliveryStore implements DeliveryStore {
  readonly #deps: SqliteDeliveryDeps
  readonly #reads: Reads
  #statements: Statements | undefined
  #batch: AppendBatch | undefined

  constructor(deps: SqliteDeliveryDeps) {
    this.#deps = deps
    this.#reads = deps.database.read((sqlite) => new Reads(sqlite))
  }

  append(entry: NewEntry): Promise<Appended> {
    return this.#deps.groupCommit.submit((transaction) => this.#batchIn(transaction).append(entry), entry)
  }

  storeCursors(take: () => readonly CursorAt[]): Promise<void> {
    return this.#deps.groupCommit.submitUnhurried(({ sqlite }) => {
      const { advance } = this.#statementsOn(sqlite)
      for (const { conversation, device, seq } of take()) {
        if (Number(advance.run(conversation, device, seq).changes) === 0) this.#deps.hears.onCursorBack()
      }
    })
  }

  settled(): Promise<void> {
    return this.#deps.groupCommit.settled()
  }

  positions(pairs: readonly Pair[]): Promise<(Position | undefined)[]> {
    return Promise.resolve(this.#snapshot(pairs, (pair) => this.#reads.position(pair)))
  }

  ranges(ranges: readonly Range[], atMost = Infinity): Promise<StoredEntry[][]> {
    let size = 0
    const read = (range: Range): StoredEntry[] | undefined => {
      if (size >= atMost) return undefined
      const entries = this.#reads.range(range)
      for (const { bytes } of entries) size += bytes.length
      return entries
    }
    return Promise.resolve(this.#snapshot(ranges, read).filter((entries) => entries !== undefined))
  }

  #statementsOn(sqlite: SqliteConnection): Statements {
    return (this.#statements ??= prepareOn(sqlite))
  }

  #batchIn(transaction: SharedTransaction): AppendBatch {
    if (this.#batch?.transaction !== transaction) this.#batch = new AppendBatch(transaction, this.#statementsOn(transaction.sqlite))
    return this.#batch
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

type Statements = ReturnType<typeof prepareOn>

/** Used only inside the group commit's transactions. */
const prepareOn = (sqlite: SqliteConnection) => ({
  log: prepareArrays(sqlite, 'SELECT epoch, head FROM log WHERE conversation = ?'),
  sender: prepareArrays(sqlite, 'SELECT client_seq, last_seq, to_seq FROM membership WHERE conversation = ? AND device = ?'),
  earlier: prepareArrays(
    sqlite,
    `SELECT seq, hash FROM entry WHERE conversation = ?1 AND sender = ?2 AND client_seq = ?3 AND seq <= ?4 AND seq > ?4 - ${REPEATS_WITHIN}
     ORDER BY seq DESC LIMIT 1`,
  ),
  standing: prepareArrays(sqlite, 'SELECT upto, max(upto, coalesce((SELECT max(id) FROM entry_row), 0)) FROM entry_placed'),
  insert: sqlite.prepare(
    'INSERT INTO entry_row (id, conversation, seq, epoch, kind, sender, client_seq, time, hash, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  ),
  place: sqlite.prepare(
    'INSERT INTO entry_place (conversation, seq, row) SELECT conversation, seq, id FROM entry_row WHERE id > ? ORDER BY conversation, seq',
  ),
  placed: sqlite.prepare('UPDATE entry_placed SET upto = ?'),
  grow: sqlite.prepare('UPDATE log SET head = ? WHERE conversation = ?'),
  count: sqlite.prepare('UPDATE membership SET client_seq = ?, last_seq = ? WHERE conversation = ? AND device = ?'),
  advance: sqlite.prepare(
    `UPDATE membership SET cursor = ?3 WHERE conversation = ?1 AND device = ?2 AND cursor < ?3
     AND ?3 <= coalesce(to_seq, (SELECT head FROM log WHERE conversation = ?1))`,
  ),
})

interface OpenLog {
  readonly epoch: number
  head: number
  readonly senders: Map<DeviceId, OpenSender | undefined>
}

interface OpenSender {
  readonly active: boolean
  clientSeq: number
  lastSeq: number
}

type StandingRow = readonly [placed: number, last: number]
type LogRow = readonly [epoch: number, head: number]
type SenderRow = readonly [clientSeq: number, lastSeq: number, toSeq: number | null]
type EarlierRow = readonly [seq: number, hash: Bytes]

const openLog = ([epoch, head]: LogRow): OpenLog => ({ epoch, head, senders: new Map() })
const openSender = ([clientSeq, lastSeq, toSeq]: SenderRow): OpenSender => ({ active: toSeq === null, clientSeq, lastSeq })

/**
 * The entries of one transaction. Nobody else writes meanwhile, so a log and a sender are read once, however many entries
 * they get, and heads and counters are written once, at the end.
 */
class AppendBatch {
  readonly transaction: SharedTransaction
  readonly #statements: Statements
  readonly #logs = new Map<ConversationId, OpenLog | undefined>()
  readonly #placed: number
  #last: number

  constructor(transaction: SharedTransaction, statements: Statements) {
    this.transaction = transaction
    this.#statements = statements
    const [placed, last] = rowAs<StandingRow>(statements.standing.get() ?? {})
    this.#placed = placed
    this.#last = last
    transaction.atEnd(() => this.#writeBack())
  }

  append(entry: NewEntry): Appended {
    const log = this.#logOf(entry.conversation)
    if (!log) throw new Refusal('not_found')
    const membership = this.#senderOf(log, entry)
    const verdict = judgeAppend({ log, membership }, entry)
    if (verdict.kind === 'refuse') throw new Refusal(verdict.failure, verdict.details)
    if (verdict.kind === 'repeat') return this.#answerOf(entry, membership)
    const { conversation, epoch, kind, sender, clientSeq, time, hash, bytes } = entry
    const { seq } = verdict
    this.#statements.insert.run(++this.#last, conversation, seq, epoch, kind, sender, clientSeq, time, hash, bytes)
    log.head = seq
    if (membership) {
      membership.clientSeq = clientSeq
      membership.lastSeq = seq
    }
    return { seq, hash, duplicate: false }
  }

  #logOf(conversation: ConversationId): OpenLog | undefined {
    const known = this.#logs.get(conversation)
    if (known) return known
    const row = this.#statements.log.get(conversation)
    const log = row && openLog(rowAs<LogRow>(row))
    this.#logs.set(conversation, log)
    return log
  }

  #senderOf({ senders }: OpenLog, { conversation, sender }: NewEntry): OpenSender | undefined {
    const known = senders.get(sender)
    if (known) return known
    const row = this.#statements.sender.get(conversation, sender)
    const found = row && openSender(rowAs<SenderRow>(row))
    senders.set(sender, found)
    return found
  }

  /** It is kept for a device's last entry; of one that is not found the counter's next value is all that can be said. */
  #answerOf({ conversation, sender, clientSeq }: NewEntry, membership: OpenSender | undefined): Appended {
    const row = this.#statements.earlier.get(conversation, sender, clientSeq, membership?.lastSeq ?? 0)
    if (!row) throw new Refusal('out_of_order', { expected: (membership?.clientSeq ?? 0) + 1 })
    const [seq, hash] = rowAs<EarlierRow>(row)
    return { seq, hash, duplicate: true }
  }

  /** Unchanged ones too: who sent nothing new is rarely here. */
  #writeBack(): void {
    for (const [conversation, log] of this.#logs) {
      if (!log) continue
      this.#statements.grow.run(log.head, conversation)
      for (const [device, sender] of log.senders)
        if (sender) this.#statements.count.run(sender.clientSeq, sender.lastSeq, conversation, device)
    }
    if (this.#last - this.#placed >= PLACED_TOGETHER) this.#place()
  }

  #place(): void {
    this.#statements.place.run(this.#placed)
    this.#statements.placed.run(this.#last)
  }
}

type PositionRow = readonly [fromSeq: number, toSeq: number | null, epoch: number, head: number]
type EntryRow = readonly [seq: number, epoch: number, kind: EntryKind, sender: DeviceId, clientSeq: number, time: number, bytes: Bytes]

class Reads {
  readonly #position: SqliteStatement
  readonly #placed: SqliteStatement
  readonly #unplaced: SqliteStatement

  constructor(sqlite: SqliteConnection) {
    this.#position = prepareArrays(
      sqlite,
      `SELECT membership.from_seq, membership.to_seq, log.epoch, log.head
       FROM membership JOIN log ON log.conversation = membership.conversation
       WHERE membership.conversation = ? AND membership.device = ?`,
    )
    this.#placed = prepareArrays(
      sqlite,
      `SELECT place.seq, epoch, kind, sender, client_seq, time, bytes FROM entry_place AS place JOIN entry_row ON id = row
       WHERE place.conversation = ? AND place.seq > ? AND place.seq <= ? AND bytes IS NOT NULL ORDER BY place.seq LIMIT ?`,
    )
    this.#unplaced = prepareArrays(
      sqlite,
      `SELECT seq, epoch, kind, sender, client_seq, time, bytes FROM entry_row
       WHERE id > (SELECT upto FROM entry_placed) AND conversation = ? AND seq > ? AND seq <= ? AND bytes IS NOT NULL ORDER BY seq LIMIT ?`,
    )
  }

  position({ conversation, device }: Pair): Position | undefined {
    const row = this.#position.get(conversation, device)
    if (!row) return undefined
    const [fromSeq, toSeq, epoch, head] = rowAs<PositionRow>(row)
    return { fromSeq, toSeq, epoch, head }
  }

  /** What is placed comes before what is not, in every log. */
  range(range: Range): StoredEntry[] {
    const found = this.#read(this.#placed, range)
    const size = found.reduce((sum, { bytes }) => sum + bytes.length, 0)
    const { seq: after } = found.at(-1) ?? { seq: range.after }
    const left = { ...range, after, limit: range.limit - found.length, bytes: range.bytes - size }
    return after < left.end && left.limit > 0 && left.bytes > 0 ? [...found, ...this.#read(this.#unplaced, left)] : found
  }

  #read(statement: SqliteStatement, { conversation, after, end, limit, bytes }: Range): StoredEntry[] {
    const found: StoredEntry[] = []
    let size = 0
    for (const row of statement.iterate(conversation, after, end, limit)) {
      const [seq, epoch, kind, sender, clientSeq, time, entryBytes] = rowAs<EntryRow>(row)
      found.push({ seq, epoch, kind, sender, clientSeq, time, bytes: entryBytes })
      size += entryBytes.length
      if (size >= bytes) break
    }
    return found
  }
}
