/**
 * Rate limits (L-07, L-16, L-19, L-20): one table, spent by name and key. One server counts in memory; several count together
 * in Redis, where keys are hashed, so that it holds no address and no name. Limits of sockets are in socket-limits.ts: each
 * server counts those by itself, because they are spent with every frame.
 */
import { Refusal } from '@tacit/contract'
import { BurstyRateLimiter, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { RedisLink } from '../bus/redis-link.ts'

/**
 * `points` at once, refilled whole every `seconds`; or, with `trickle`, one more every so many seconds after the burst.
 *
 * `with`: all servers together, or each by itself. `alone`: what each server goes on with while Redis is gone (F-14): the whole
 * budget where that harms nobody, a quarter where the limit protects somebody's password, keys or privacy. Never without a
 * limit, and never closed: that Redis is gone must not keep anybody out.
 */
interface Budget {
  readonly points: number
  readonly seconds: number
  readonly trickle?: number
  readonly with: 'all_servers' | 'nobody'
  readonly alone: 'whole' | 'quarter'
}

const MINUTE = 60
const HOUR = 3600
const together = { with: 'all_servers', alone: 'whole' } as const
const guarded = { with: 'all_servers', alone: 'quarter' } as const

export const budgets = {
  /** Files of the web app per address: some eighty for a new browser, and a school behind one address opens many at once. */
  file: { points: 12_000, seconds: MINUTE, with: 'nobody', alone: 'whole' },
  /** All other requests of one address. */
  request: { points: 1200, seconds: MINUTE, with: 'nobody', alone: 'whole' },
  /** Sign-ups and their first steps, per address. */
  sign_up: { points: 30, seconds: HOUR, ...guarded },
  /** Sign-in attempts per address. */
  sign_in_address: { points: 20, seconds: MINUTE, ...guarded },
  /** Sign-in attempts per handle, whether or not it exists. */
  sign_in_account: { points: 5, seconds: MINUTE, ...guarded },
  /** Proofs of who is there, per account. */
  proof: { points: 5, seconds: MINUTE, ...guarded },
  /** Codes for linking a device, per address. */
  link_begin: { points: 60, seconds: HOUR, ...guarded },
  /** Codes that one account brings: what makes guessing one hopeless. */
  link_claim: { points: 10, seconds: 10 * MINUTE, ...guarded },
  /** Renewals per address. */
  renew: { points: 120, seconds: MINUTE, ...together },
  /** Handle look-ups per account. */
  look_up: { points: 100, seconds: 100 * 15 * MINUTE, trickle: 15 * MINUTE, ...guarded },
  /** Key packages claimed by one account from another. */
  claim: { points: 6, seconds: HOUR, trickle: 10 * MINUTE, ...guarded },
  /** The same in a day, by somebody who shares no conversation with them: nobody empties a stranger's store alone (M-26). */
  claim_day: { points: 10, seconds: 24 * HOUR, ...guarded },
  /** Uploads of key packages per device. */
  publish: { points: 30, seconds: HOUR, ...together },
  /** Changes of the device list, and enrolments, per account. */
  devices: { points: 30, seconds: HOUR, ...together },
  /** Conversations opened per account. */
  create_conversation: { points: 120, seconds: HOUR, ...together },
  /** Looks at what the server holds on oneself, per account: each reads a table. */
  held: { points: 120, seconds: HOUR, ...together },
  /** Changes of an archive, per account: a device that archives years of history at once makes some hundreds. */
  archive: { points: 1200, seconds: HOUR, ...together },
  /** Vault changes per account. */
  vault: { points: 1200, seconds: HOUR, ...together },
} as const satisfies Record<string, Budget>

export type BudgetName = keyof typeof budgets

export interface Limits {
  /** Takes one from the budget of this key. Throws the refusal `rate_limited` when nothing is left. */
  spend(budget: BudgetName, key: string): Promise<void>
}

/** Where several servers count together. */
export interface SharedCounts {
  readonly link: Pick<RedisLink, 'prefix' | 'ask'>
  /** The same for a key on every server; says nothing about it. */
  hash(key: string): string
}

type Limiter = Pick<RateLimiterMemory, 'consume'>

/** How many points in how many seconds, counted under this name. */
interface Allowance {
  readonly keyPrefix: string
  readonly points: number
  readonly duration: number
}

/** `factor` multiplies every budget. */
export function createLimits({ factor, shared }: { readonly factor: number; readonly shared?: SharedCounts | undefined }): Limits {
  const limiters = new Map(Object.entries(budgets).map(([name, budget]) => [name, limiter({ name, budget, factor, shared })]))
  return {
    async spend(budget, key) {
      try {
        await limiters.get(budget)?.consume(shared ? shared.hash(key) : key)
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error
        throw new Refusal('rate_limited', { retryAfter: Math.min(86_400, Math.max(1, Math.ceil(error.msBeforeNext / 1000))) })
      }
    },
  }
}

interface Wanted {
  readonly name: string
  readonly budget: Budget
  readonly factor: number
  readonly shared: SharedCounts | undefined
}

function limiter({ name, budget, factor, shared }: Wanted): Limiter {
  const { points, seconds, trickle, alone } = budget
  const count = (allowance: Allowance): RateLimiterMemory | RateLimiterRedis =>
    shared && budget.with === 'all_servers' ? countTogether(allowance, shared, alone) : new RateLimiterMemory(allowance)
  if (!trickle) return count({ keyPrefix: name, points: points * factor, duration: seconds })
  const slow = count({ keyPrefix: name, points: factor, duration: trickle })
  const burst = count({ keyPrefix: `${name}_burst`, points: (points - 1) * factor, duration: seconds })
  return new BurstyRateLimiter(slow, burst)
}

function countTogether({ keyPrefix, points, duration }: Allowance, { link }: SharedCounts, alone: Budget['alone']): RateLimiterRedis {
  const forMyself = alone === 'whole' ? points : Math.ceil(points / 4)
  return new RateLimiterRedis({
    storeClient: { eval: (script: string, given: EvalGiven) => link.ask((redis) => redis.eval(script, given)) },
    useRedisPackage: true,
    keyPrefix: `${link.prefix}budget:${keyPrefix}`,
    points,
    duration,
    // Whoever has used everything up costs Redis nothing more.
    inMemoryBlockOnConsumed: points + 1,
    insuranceLimiter: new RateLimiterMemory({ keyPrefix, points: forMyself, duration }),
  })
}

interface EvalGiven {
  readonly keys: string[]
  readonly arguments: string[]
}

/** The key of a network address: IPv6 by its /64, because one household owns that many addresses. */
export function addressKey(address: string): string {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  if (!plain.includes(':')) return plain
  const [head = '', tail = ''] = plain.split('%', 1)[0]?.split('::', 2) ?? []
  const before = head.split(':').filter(Boolean)
  const after = plain.includes('::') ? tail.split(':').filter(Boolean) : []
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0')
  return [...before, ...zeros, ...after].slice(0, 4).join(':')
}
