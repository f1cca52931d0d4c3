/**
 * The front door of security events: what happened to an account, kept for its owner. What a room did is noted in the room's
 * own transaction, so that neither is there without the other. No addresses: who runs the server learns nothing new.
 */
import type { AccountId, DeviceId, Routes, SecurityEventKind } from '@tacit/contract'
import type { Transaction } from 'kysely'
import type { Clock } from '../clock.ts'
import type { RoomHandlers } from '../gateway/caller.ts'
import { faultFields, type Log } from '../log.ts'
import type { Database } from '../storage/database.ts'
import type { Tables } from '../storage/tables.ts'
import * as store from './security-events.store.ts'

export interface SecurityEvent {
  readonly account: AccountId
  readonly kind: SecurityEventKind
  readonly method?: string
  readonly device?: DeviceId
}

export interface SecurityEventsDeps {
  readonly database: Database
  readonly clock: Clock
  readonly log: Log
}

const HOUR = 3_600_000
const KEPT = 365 * 24 * HOUR
/** Of one account; failed tries of a stranger must not fill the disk, and count as one within an hour. */
const MOST = 500

export class SecurityEvents {
  readonly #deps: SecurityEventsDeps

  constructor(deps: SecurityEventsDeps) {
    this.#deps = deps
  }

  /** In the transaction of what happened. */
  async note(tx: Transaction<Tables>, { account, kind, method, device }: SecurityEvent): Promise<void> {
    const at = this.#deps.clock.now()
    await store.add(tx, { account, kind, method: method ?? null, device: device ?? null, times: 1, at })
    await store.keepNewest(tx, { account, most: MOST })
  }

  /**
   * Notes a try that failed, without letting the caller wait: the answer must take as long as for a handle that nobody has (M-28).
   */
  noteFailedSignIn({ account, method }: { account: AccountId; method: string }): void {
    const { database, clock, log } = this.#deps
    const tried = { account, kind: 'sign_in_failed', method } as const
    const noted = database.write(async (tx) => {
      const before = await store.findSince(tx, { ...tried, since: clock.now() - HOUR })
      if (before) await store.again(tx, { position: before.position, times: before.times + 1 })
      else await this.note(tx, tried)
    })
    noted.catch((error: unknown) => log('fault', { where: 'security events', ...faultFields(error) }))
  }

  handlers(): RoomHandlers<Routes['securityEvents']> {
    const { database } = this.#deps
    return {
      async list({ query, caller }) {
        const before = query.before ?? Number.MAX_SAFE_INTEGER
        const rows = await store.page(database.kysely, { account: caller.account, before, limit: query.limit })
        return {
          events: rows.map(({ position, kind, method, device, times, at }) => ({ position, kind, method, device, times, at: asTime(at) })),
        }
      },
    }
  }

  /** Forgets what is older than a year. */
  async sweep(): Promise<void> {
    const { database, clock } = this.#deps
    await database.write((tx) => store.dropBefore(tx, clock.now() - KEPT))
  }
}

const asTime = (at: number): string => new Date(at).toISOString()
