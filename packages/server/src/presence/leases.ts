/**
 * Who is online anywhere, as leases: whoever holds one renews it, and one that nobody renews ends by itself, so a server that
 * dies leaves nobody online for ever. Promises nothing: what is lost comes back with the next renewal.
 */
import type { AccountId } from '@tacit/contract'
import type { Clock } from '../clock.ts'

export interface Leases {
  /** Takes or renews the leases of accounts that are online at this server. */
  hold(accounts: readonly AccountId[]): Promise<void>
  /** The account is not online at this server any more. */
  release(account: AccountId): Promise<void>
  /** Those of the accounts that are online at any server. */
  online(accounts: readonly AccountId[]): Promise<ReadonlySet<AccountId>>
}

/** How long a lease lasts, and how often it is renewed; milliseconds. */
export const LEASE_LASTS = 30_000
export const RENEW_EVERY = 10_000

/** The leases of a single process. */
export class OwnLeases implements Leases {
  readonly #clock: Clock
  readonly #until = new Map<AccountId, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  hold(accounts: readonly AccountId[]): Promise<void> {
    const until = this.#clock.now() + LEASE_LASTS
    for (const account of accounts) this.#until.set(account, until)
    return Promise.resolve()
  }

  release(account: AccountId): Promise<void> {
    this.#until.delete(account)
    return Promise.resolve()
  }

  online(accounts: readonly AccountId[]): Promise<ReadonlySet<AccountId>> {
    const now = this.#clock.now()
    return Promise.resolve(new Set(accounts.filter((account) => (this.#until.get(account) ?? 0) > now)))
  }
}
