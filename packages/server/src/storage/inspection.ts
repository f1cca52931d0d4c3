/**
 * Whether the disk still holds what was written (F-32). Every entry names itself by its hash, so each is compared with it: all of
 * them soon after the start and once a day, a page at a time with rests between, beside everything else that the server does.
 */
import { createHash } from 'node:crypto'
import type { ConversationId } from '@tacit/contract'
import { sql, type Kysely } from 'kysely'
import type { LoopLag } from '../loop-lag.ts'
import { rest } from './rests.ts'
import type { Tables } from './tables.ts'

export interface InspectionDeps {
  readonly database: { readonly kysely: Kysely<Tables> }
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
}

const WHOLE: Damage = { entries: 0, unreadable: false }

/** Read at once: a millisecond's work, 4,000 entries a second when nothing else is to do. */
const PAGE = 100

const FIRST_AFTER = 5000
const EVERY = 86_400_000

export class Inspection {
  readonly #deps: InspectionDeps
  #damage = WHOLE
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #round: Promise<void> = Promise.resolve()

  constructor(deps: InspectionDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#wait(FIRST_AFTER)
  }

  /** Resolves when nothing of it reads any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#round
  }

  /** What the last round found. */
  get damage(): Damage {
    return this.#damage
  }

  /** One round. */
  async inspect(): Promise<Damage> {
    let entries = 0
    try {
      for await (const page of pagesOf(this.#deps.database.kysely)) {
        entries += page.filter(({ hash, bytes }) => bytes !== null && !createHash('sha256').update(bytes).digest().equals(hash)).length
        if (this.#stopped) return this.#damage
        await rest(this.#deps.lag)
      }
      this.#damage = { entries, unreadable: false }
    } catch (error) {
      if (this.#stopped) return this.#damage
      this.#damage = { entries, unreadable: true }
      this.#deps.failed(error)
    }
    if (entries > 0) this.#deps.found(this.#damage)
    return this.#damage
  }

  #wait(time: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#round = this.inspect().then(() => this.#wait(EVERY))
    }, time).unref()
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
