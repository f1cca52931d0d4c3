/**
 * Whether the disk still holds what was written (F-32). Every entry names itself by its hash, so each is compared with it: all of
 * them soon after the start and once a day, a page at a time with rests between, beside everything else that the server does.
 * What is not in an entry, the database looks at itself, in a process of its own (`sqlite/structure.ts`).
 */
import { createHash } from 'node:crypto'
import type { ConversationId } from '@tacit/contract'
import { sql, type Kysely } from 'kysely'
import type { LoopLag } from '../loop-lag.ts'
import { rest } from './rests.ts'
import type { Database } from './database.ts'
import type { Tables } from './tables.ts'

export interface InspectionDeps {
  readonly database: Pick<Database, 'kysely' | 'structure'>
  readonly lag: Pick<LoopLag, 'worst'>
  /** Told after each round in which something was found. */
  readonly found: (damage: Damage) => void
  readonly failed: (error: unknown) => void
}

export interface Damage {
  /** Entries whose bytes are not what their hash says. */
  readonly entries: number
  /** A part of the database could not be read at all. */
  readonly unreadable: boolean
  /** Lines of the database about its own structure. */
  readonly structure: readonly string[]
}

const WHOLE: Damage = { entries: 0, unreadable: false, structure: [] }

/** Read at once: a millisecond's work, 4,000 entries a second when nothing else is to do. */
const PAGE = 100

/** The first looks, and all others, milliseconds. */
const ENTRIES_AFTER = 5000
const STRUCTURE_AFTER = 60_000
const EVERY = 86_400_000

export class Inspection {
  readonly #deps: InspectionDeps
  #damage = WHOLE
  readonly #stopping = new AbortController()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #rounds = new Set<Promise<unknown>>()

  constructor(deps: InspectionDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#wait(ENTRIES_AFTER, () => this.inspect())
    this.#wait(STRUCTURE_AFTER, () => this.inspectStructure())
  }

  /** Resolves when nothing of it reads any more. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.all(this.#rounds)
  }

  /** What the last rounds found. */
  get damage(): Damage {
    return this.#damage
  }

  /** One round through all entries. */
  async inspect(): Promise<Damage> {
    const { signal } = this.#stopping
    let entries = 0
    try {
      for await (const page of pagesOf(this.#deps.database.kysely)) {
        entries += page.filter(({ hash, bytes }) => bytes !== null && !createHash('sha256').update(bytes).digest().equals(hash)).length
        if (signal.aborted) return this.#damage
        await rest(this.#deps.lag)
      }
      this.#damage = { ...this.#damage, entries, unreadable: false }
    } catch (error) {
      if (signal.aborted) return this.#damage
      this.#damage = { ...this.#damage, entries, unreadable: true }
      this.#deps.failed(error)
    }
    if (entries > 0) this.#deps.found(this.#damage)
    return this.#damage
  }

  /** One look of the database at itself. */
  async inspectStructure(): Promise<Damage> {
    const { signal } = this.#stopping
    try {
      const structure = await this.#deps.database.structure(signal)
      this.#damage = { ...this.#damage, structure }
      if (structure.length > 0) this.#deps.found(this.#damage)
    } catch (error) {
      if (!signal.aborted) this.#deps.failed(error)
    }
    return this.#damage
  }

  #wait(time: number, look: () => Promise<unknown>): void {
    if (this.#stopping.signal.aborted) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      const round = look().then(() => {
        this.#rounds.delete(round)
        this.#wait(EVERY, look)
      })
      this.#rounds.add(round)
    }, time).unref()
    this.#timers.add(timer)
  }
}

/** Everything in the logs, in the order of the table's key. */
async function* pagesOf(db: Kysely<Tables>) {
  let after: { readonly conversation: ConversationId; readonly seq: number } | undefined
  do {
    const from = after ? sql<boolean>`(conversation, seq) > (${after.conversation}, ${after.seq})` : sql<boolean>`1 = 1`
    const page = await db
      .selectFrom('entry')
      .select(['conversation', 'seq', 'hash', 'bytes'])
      .where(from)
      .orderBy('conversation')
      .orderBy('seq')
      .limit(PAGE)
      .execute()
    yield page
    after = page.length === PAGE ? page.at(-1) : undefined
  } while (after)
}
