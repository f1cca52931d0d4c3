/**
 * The hot path on PostgreSQL. An append is one statement for a whole batch of messages: it locks the logs in their order,
 * compares epochs and counters, inserts, and moves heads and counters, in one round trip and one fsync. What it does not
 * append it gives back with the state that it found, and the rule of append-rule.ts says why.
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

/** How long cursors wait for company, milliseconds. */
const PATIENCE = 25

interface OwnLane {
  readonly lane: Lane
  readonly appends: Batches<NewEntry, Appended>
}

export class PostgresDeliveryStore implements DeliveryStore {
  readonly #deps: PostgresDeliveryDeps
  readonly #lanes: readonly OwnLane[]

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

  async ranges(ranges: readonly Range[]): Promise<StoredEntry[][]> {
    if (ranges.length === 0) return []
    const { rows } = await this.#deps.database.reading.query<statements.RangeRow>(statements.ranges(ranges))
    const found = Map.groupBy(rows, ({ place }) => place)
    return ranges.map((_, at) => found.get(at + 1) ?? [])
  }

  /** All of a conversation goes by one lane, so that the messages of a sender do not overtake each other. */
  #laneOf({ conversation }: Pick<Pair, 'conversation'>): OwnLane {
    const own = this.#lanes[conversation.charCodeAt(0) % this.#lanes.length]
    if (!own) throw new Error('a database has lanes')
    return own
  }

  async #append(client: Client, entries: readonly NewEntry[]): Promise<(Appended | Refusal | 'again')[]> {
    const { rows } = await client.query<statements.AppendRow>(statements.append(entries))
    const after = statesAfter(entries, rows)
    return Promise.all(
      entries.map(async (entry, at) => {
        const seq = rows[at]?.seq ?? null
        if (seq === null) return this.#answer(entry, after.get(keyOf(entry)))
        this.#deps.database.standing.acknowledged(entry.conversation, seq)
        return { seq, hash: entry.hash, duplicate: false }
      }),
    )
  }

  /** Why an entry was not appended; `again`: something before it in its batch is what was in its way. */
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

const keyOf = ({ conversation, sender }: NewEntry): string => conversation + sender

/** How the batch left each sender and its log. */
function statesAfter(entries: readonly NewEntry[], rows: readonly statements.AppendRow[]): Map<string, AppendState> {
  const heads = new Map<string, number>()
  const counters = new Map<string, number>()
  for (const [at, entry] of entries.entries()) {
    const seq = rows[at]?.seq ?? null
    if (seq === null) continue
    heads.set(entry.conversation, seq)
    counters.set(keyOf(entry), entry.clientSeq)
  }
  const states = new Map<string, AppendState>()
  for (const [at, entry] of entries.entries()) {
    const row = rows[at]
    if (!row || row.epoch === null || row.head === null) continue
    const clientSeq = counters.get(keyOf(entry)) ?? row.clientSeq
    states.set(keyOf(entry), {
      log: { epoch: row.epoch, head: heads.get(entry.conversation) ?? row.head },
      membership: clientSeq === null ? undefined : { active: row.toSeq === null, clientSeq },
    })
  }
  return states
}
