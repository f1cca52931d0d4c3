/**
 * With several servers, what makes up for lost doorbells: about every second each server reads what was written down for all
 * (one small query), and while its bus is in doubt its rooms also read again what they follow (one query per room, whatever the
 * number of sockets). So a doorbell saves time and nothing else.
 */
import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'
import type { Database } from '../storage/database.ts'
import type { RedisBus } from './redis.ts'
import { forgetWritten, readWritten, writeDown } from './written.store.ts'

export interface RoundsDeps {
  readonly database: Database
  readonly bus: Pick<RedisBus, 'hearWritten' | 'isDoubtful' | 'isUnheard'>
  readonly clock: Clock
  readonly random: Random
  /** A name of this process that no other has or had. */
  readonly node: string
  /** Rooms that follow something. `since`: the horizon from which on doorbells may be missing (written.store.ts). */
  readonly rooms: readonly { reread(since: number): Promise<void> }[]
  /** This server could not read for so long that it may have missed something for good. */
  onBlind(): void
  onFault(error: unknown): void
}

/** Milliseconds. */
export const ROUND_EVERY = 1000
/** Rounds asked for by doubts are no closer together than this. */
const SOONEST = 200

const MINUTE = 60_000
/** How long a written notice stays, and how long a server may be blind. */
const KEPT_FOR = 10 * MINUTE
const BLIND_AFTER = 5 * MINUTE

/** How many rounds back the last doorbell may be whose loss shows only now. */
const LOOK_BACK = 5

export class Rounds {
  readonly #deps: RoundsDeps
  /** Of the last rounds without doubt, the oldest first; of the last round alone in doubt. */
  #horizons: number[] = []
  #readAt: number
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #stopped = true

  constructor(deps: RoundsDeps) {
    this.#deps = deps
    this.#readAt = deps.clock.now()
  }

  /** The first horizon must be known before the first socket opens. */
  async start(): Promise<void> {
    await this.look()
    this.#stopped = false
    this.#next(ROUND_EVERY)
  }

  /** Soon, because a doubt came up. */
  hurry(): void {
    this.#next(SOONEST)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#running
  }

  /** One round. */
  async look(): Promise<void> {
    const { bus, clock, database } = this.#deps
    const now = clock.now()
    if (now - this.#readAt > BLIND_AFTER) this.#goBlind(now)
    if (bus.isUnheard(now)) await this.#tellThatNobodyHears(now)
    const { rung, horizon } = await readWritten(database.kysely, this.#horizons.at(-1))
    this.#readAt = now
    bus.hearWritten(rung)
    const since = this.#horizons[0] ?? horizon
    const doubtful = bus.isDoubtful(now)
    if (doubtful) await Promise.all(this.#deps.rooms.map((room) => room.reread(since)))
    this.#horizons = doubtful ? [horizon] : [...this.#horizons, horizon].slice(-LOOK_BACK)
  }

  /** Written notices that everybody has read long ago go. */
  async sweep(): Promise<void> {
    await this.#deps.database.write((tx) => forgetWritten(tx, this.#deps.clock.now() - KEPT_FOR))
  }

  /** What was written meanwhile may be gone: whoever comes back reads everything. */
  #goBlind(now: number): void {
    this.#readAt = now
    this.#deps.onBlind()
  }

  async #tellThatNobodyHears(now: number): Promise<void> {
    const { database, random, node } = this.#deps
    await database.write((tx) => writeDown(tx, [{ id: random.id(), at: now, notice: { kind: 'unheard', node } }]))
  }

  #next(delay: number): void {
    if (this.#stopped || this.#running) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const began = this.#deps.clock.now()
      this.#running = this.look()
        .catch((error: unknown) => this.#deps.onFault(error))
        .finally(() => {
          this.#running = undefined
          // A round that is long, because much is followed, leaves as much time to others.
          this.#next(Math.max(ROUND_EVERY, this.#deps.clock.now() - began))
        })
    }, delay)
  }
}
