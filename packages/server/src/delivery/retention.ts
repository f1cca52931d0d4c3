/**
 * What the server may forget: entries that every member device has stored, after a time of grace, and whatever is older
 * than the retention time. Logs are trimmed from their beginning only, so what is left stays without gaps. Each run looks
 * at some conversations and removes at most so many entries, or twice as many as came in meanwhile: a clock that jumps cannot empty
 * the server, and a busy one does not grow for ever.
 */
import type { ConversationId } from '@tacit/contract'
import type { Transaction } from 'kysely'
import type { Clock } from '../clock.ts'
import type { LoopLag } from '../loop-lag.ts'
import type { Database } from '../storage/database.ts'
import { rest } from '../storage/rests.ts'
import type { Tables } from '../storage/tables.ts'
import * as store from './retention.store.ts'
import type { AgedEntry, LogToTrim } from './retention.store.ts'

export interface RetentionDeps {
  readonly database: Database
  readonly clock: Clock
  readonly lag: Pick<LoopLag, 'worst'>
  readonly settings: RetentionSettings
  /** How many entries this server has accepted since its start. */
  readonly accepted: () => number
  readonly welcomes: OutstandingWelcomes
}

/** The welcomes that no device has fetched yet, asked within the transaction. */
export interface OutstandingWelcomes {
  /** Those made before a time (milliseconds) go; their device may still join by its own commit. */
  dropBefore(tx: Transaction<Tables>, dropped: { conversation: ConversationId; before: number }): Promise<void>
  /** The lowest epoch that a commit with a waiting welcome ended; undefined if none waits. */
  lowestEpoch(tx: Transaction<Tables>, conversation: ConversationId): Promise<number | undefined>
}

export interface RetentionSettings {
  /** How long an entry waits for devices that have not fetched it, milliseconds. */
  readonly keepFor: number
  /** How long it stays after everybody has stored it, milliseconds. */
  readonly grace: number
  readonly conversationsPerRun: number
  /** What a quiet server may forget in a run. */
  readonly entriesPerRun: number
}

const HOUR = 3_600_000

export const retentionSettings = (retentionDays: number): RetentionSettings => ({
  keepFor: retentionDays * 24 * HOUR,
  grace: 24 * HOUR,
  conversationsPerRun: 200,
  entriesPerRun: 5000,
})

/** Entries that one transaction may remove: others wait for it, a few milliseconds. */
const ENTRIES_PER_STEP = 100

export class Retention {
  readonly #deps: RetentionDeps
  #last: ConversationId | undefined
  /** Entries accepted until the last run. */
  #accepted = 0
  #running: Promise<number> | undefined
  #stopped = false

  constructor(deps: RetentionDeps) {
    this.#deps = deps
  }

  /** Looks at the next conversations, with rests between. Returns how many entries went; while a run is under way, how many go in it. */
  run(): Promise<number> {
    this.#running ??= this.#look().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Resolves when nothing of it reads or writes any more. A fault is for whoever asked for the run. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running?.catch(() => undefined)
  }

  async #look(): Promise<number> {
    const { database, settings } = this.#deps
    const logs = await store.nextLogs(database.kysely, { after: this.#last, limit: settings.conversationsPerRun })
    const most = this.#most()
    let removed = 0
    for (const log of logs) {
      if (removed >= most || this.#stopped) return removed
      removed += await this.#trim(log, most - removed)
      this.#last = log.conversation
    }
    if (logs.length < settings.conversationsPerRun) this.#last = undefined
    return removed
  }

  /** What may go in this run. Each server counts what it accepted itself, so together they keep up with what all of them accept. */
  #most(): number {
    const accepted = this.#deps.accepted()
    const came = accepted - this.#accepted
    this.#accepted = accepted
    return Math.max(this.#deps.settings.entriesPerRun, 2 * came)
  }

  async #trim(log: LogToTrim, most: number): Promise<number> {
    let removed = 0
    for (;;) {
      const step = Math.min(ENTRIES_PER_STEP, most - removed)
      if (step === 0 || this.#stopped) return removed
      const count = await this.#deps.database.write((tx) => this.#trimStep(tx, log.conversation, step))
      removed += count
      await rest(this.#deps.lag)
      if (count < step) return removed
    }
  }

  /**
   * Hashes stay longer than their bytes: a device that joins computes the transcript from the last commit that the maker of
   * its welcome or group info had seen, and that is at most one epoch before the commit that let it in.
   */
  async #trimStep(tx: Transaction<Tables>, conversation: ConversationId, most: number): Promise<number> {
    const { clock, settings, welcomes } = this.#deps
    const now = clock.now()
    await welcomes.dropBefore(tx, { conversation, before: now - settings.keepFor })
    const log = await store.logToTrim(tx, conversation)
    if (!log) return 0
    const oldest = await this.#oldestEntries(tx, { log, now, most })
    const count = Math.min(removableCount(oldest, { log, now, settings }), most)
    const last = oldest[count - 1]
    // Another server may have been here between the look and this.
    const emptied = last ? await store.emptyEntries(tx, conversation, last.seq) : 0
    await store.dropPast(tx, conversation)
    const lowest = await welcomes.lowestEpoch(tx, conversation)
    const epoch = Math.min(log.epoch - 1, lowest ?? log.epoch)
    await store.dropHashes(tx, { conversation, epoch, before: oldest[count]?.seq })
    return emptied
  }

  /** Those that may go, if any may, and the first that stays: mostly the oldest of all has to, and nothing else is read. */
  async #oldestEntries(
    tx: Transaction<Tables>,
    { log, now, most }: { log: LogToTrim; now: number; most: number },
  ): Promise<readonly AgedEntry[]> {
    const first = await store.oldestEntries(tx, log.conversation, 1)
    if (removableCount(first, { log, now, settings: this.#deps.settings }) === 0) return first
    return store.oldestEntries(tx, log.conversation, most + 1)
  }
}

/** How many of the oldest entries may go; stops at the first that must stay. */
export function removableCount(
  oldest: readonly AgedEntry[],
  { log, now, settings }: { log: Pick<LogToTrim, 'storedByAll'>; now: number; settings: Pick<RetentionSettings, 'keepFor' | 'grace'> },
): number {
  const mayGo = ({ seq, time }: AgedEntry): boolean => {
    const age = now - time
    return age > settings.keepFor || (seq <= log.storedByAll && age > settings.grace)
  }
  const stays = oldest.findIndex((entry) => !mayGo(entry))
  return stays < 0 ? oldest.length : stays
}
