/**
 * The hot path on PostgreSQL. An append is one statement for a whole batch of messages: it locks the logs in their order,
 * compares epochs and counters, inserts, and moves heads and counters, in one round trip and one fsync. For what it does not
 * append the state is read after it, and the rule of append-rule.ts says why.
 */
import { Refusal } from '@tacit/contract'
import type { Client } from 'pg'
import { Batches } from '../storage/postgres/batches.ts'
import type { Lane } from '../storage/postgres/lane.ts'
import type { PostgresDatabase } from '../storage/postgres/postgres-database.ts'
import { judgeAppend, type AppendState } from './append-rule.ts'
import type {
  Appended,
  CursorAt,
  DeliveryStore,
  DeliveryStoreHears,
  NewEntry,
  Pair,
  Position,
  Range,
  StoredEntry,
} from './delivery.store.ts'
import * as ledger from './ledger.store.ts'
import * as statements from './postgres.statements.ts'

export interface PostgresDeliveryDeps {
  readonly database: PostgresDatabase
  readonly hears: DeliveryStoreHears
}

/** What one statement takes at most, and how many entries may wait for each lane. */
const BATCH = { maxItems: 512, maxBytes: 4 * 1024 * 1024, maxQueued: 8192 } as const

/** Logs that are read with one query. What exceeds the room is looked for and left out, so not many more are asked for than will fit. */
const RANGES_PER_QUERY = { least: 4, most: 32 } as const

/** How long cursors wait for company, milliseconds. */
const PATIENCE = 25

interface OwnLane {
  readonly lane: Lane
  readonly appends: Batches<NewEntry, Appended>
}

export class PostgresDeliveryStore implements DeliveryStore {
  readonly #deps: PostgresDeliveryDeps
  readonly #lanes: readonly OwnLane[]
  /** Bytes that the last query found of each log. */
  #perRange = 0

  constructor(deps: PostgresDeliveryDeps) {
    this.#deps = deps
    const write = (client: Client, entries: readonly NewEntry[]) => this.#append(client, entries)
    const ownerOf = ({ sender }: NewEntry): string => sender
    const sizeOf = ({ bytes }: NewEntry): number => bytes.length
    const onBatch = (size: number): void => deps.hears.onBatch(size)
    this.#lanes = deps.database.lanes.map((lane) => ({ lane, appends: new Batches({ lane, write, ownerOf, sizeOf, onBatch, ...BATCH }) }))
  }

  append(entry: NewEntry): Promise<Appended> {
    return this.#laneOf(entry).appends.submit(entry)
  }

  async storeCursors(take: () => readonly CursorAt[]): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, PATIENCE))
    const byLane = Map.groupBy(take(), (cursor) => this.#laneOf(cursor))
    await Promise.all([...byLane].map(([{ lane }, cursors]) => lane.run((client) => this.#advance(client, cursors))))
  }

  async settled(): Promise<void> {
    await Promise.all(this.#lanes.map(({ appends }) => appends.settled()))
    await Promise.all(this.#lanes.map(({ lane }) => lane.settled()))
  }

  async positions(pairs: readonly Pair[]): Promise<(Position | undefined)[]> {
    if (pairs.length === 0) return []
    const { rows } = await this.#deps.database.reading.query<statements.PositionRow>(statements.positions(pairs))
    const found = new Map(rows.map((row) => [row.place, row]))
    return pairs.map((_, at) => found.get(at + 1))
  }

  async ranges(ranges: readonly Range[], atMost: number = Number.MAX_SAFE_INTEGER): Promise<StoredEntry[][]> {
    const found: StoredEntry[][] = []
    for (let room = atMost; found.length < ranges.length && room > 0;) {
      const { pages, size } = await this.#read(ranges.slice(found.length, found.length + this.#rangesFor(room)), room)
      found.push(...pages)
      room -= size
    }
    return found
  }

  #rangesFor(room: number): number {
    const { least, most } = RANGES_PER_QUERY
    return Math.min(Math.max(least, Math.ceil(room / this.#perRange)), most)
  }

  /** Where the room ends pages end too: the last one that has something may be shorter, and there is none after it. */
  async #read(ranges: readonly Range[], room: number): Promise<{ pages: StoredEntry[][]; size: number }> {
    const { rows } = await this.#deps.database.reading.query<statements.RangeRow>(statements.ranges(ranges, room))
    const found = Map.groupBy(rows, ({ place }) => place)
    const size = rows.reduce((sum, { bytes }) => sum + bytes.length, 0)
    const end = size < room ? ranges.length : rows.at(-1)?.place
    const pages = ranges.slice(0, end).map((_, at) => found.get(at + 1) ?? [])
    this.#perRange = size / pages.length
    return { pages, size }
  }

  /** All of a conversation goes by one lane, so that the messages of a sender do not overtake each other. */
  #laneOf({ conversation }: Pick<Pair, 'conversation'>): OwnLane {
    const own = this.#lanes[conversation.charCodeAt(0) % this.#lanes.length]
    if (!own) throw new Error('a database has lanes')
    return own
  }

  async #append(client: Client, entries: readonly NewEntry[]): Promise<(Appended | Refusal | 'again')[]> {
    const { rows } = await client.query<statements.AppendRow>(statements.append(entries))
    const seqs = rows[0]?.seqs.split(',') ?? []
    const seqOf = (at: number): number | undefined => (seqs[at] ? Number(seqs[at]) : undefined)
    const answers = await this.#answers(
      client,
      entries.filter((_, at) => seqOf(at) === undefined),
    )
    return entries.map((entry, at) => {
      const seq = seqOf(at)
      if (seq === undefined) return answers.shift() ?? 'again'
      this.#deps.database.acknowledged({ conversation: entry.conversation, seq })
      return { seq, hash: entry.hash, duplicate: false }
    })
  }

  /** Why these were not appended; `again`: something before it in its batch is what was in its way. */
  async #answers(client: Client, entries: readonly NewEntry[]): Promise<(Appended | Refusal | 'again')[]> {
    if (entries.length === 0) return []
    const { rows } = await client.query<statements.StateRow>(statements.states(entries))
    const found = new Map(rows.map((row) => [row.place, stateOf(row)]))
    return Promise.all(entries.map((entry, at) => this.#answer(entry, found.get(at + 1))))
  }

  async #answer(entry: NewEntry, state: AppendState | undefined): Promise<Appended | Refusal | 'again'> {
    const verdict = state ? judgeAppend(state, entry) : ({ kind: 'refuse', failure: 'not_found', details: {} } as const)
    if (verdict.kind === 'refuse') return new Refusal(verdict.failure, verdict.details)
    if (verdict.kind === 'append') return 'again'
    try {
      const { seq, hash } = await ledger.earlier(this.#deps.database.kysely, entry)
      return { seq, hash, duplicate: true }
    } catch (error) {
      if (error instanceof Refusal) return error
      throw error
    }
  }

  async #advance(client: Client, cursors: readonly CursorAt[]): Promise<void> {
    const { rowCount } = await client.query(statements.advance(cursors))
    for (let moved = rowCount ?? 0; moved < cursors.length; moved++) this.#deps.hears.onCursorBack()
  }
}

const stateOf = ({ epoch, head, clientSeq, toSeq }: statements.StateRow): AppendState => ({
  log: { epoch, head },
  membership: clientSeq === null ? undefined : { active: toSeq === null, clientSeq },
})
