/**
 * Rate limits (L-07, L-16, L-19, L-20): one table, spent by name and key. Keys are held in memory only; a network address
 * is a key here and nowhere else. Limits of sockets are in the same table.
 */
import { Refusal } from '@tacit/contract'
import { BurstyRateLimiter, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

/** `points` at once, refilled whole every `seconds`; or, with `trickle`, one more every so many seconds after the burst. */
interface Budget {
  readonly points: number
  readonly seconds: number
  readonly trickle?: number
}

const MINUTE = 60
const HOUR = 3600

export const budgets = {
  /** All requests of one address. */
  request: { points: 1200, seconds: MINUTE },
  /** Sign-ups and their first steps, per address. */
  sign_up: { points: 30, seconds: HOUR },
  /** Sign-in attempts per address. */
  sign_in_address: { points: 20, seconds: MINUTE },
  /** Sign-in attempts per handle, whether or not it exists. */
  sign_in_account: { points: 5, seconds: MINUTE },
  /** Renewals per address. */
  renew: { points: 120, seconds: MINUTE },
  /** Handle look-ups per account. */
  look_up: { points: 100, seconds: 100 * 15 * MINUTE, trickle: 15 * MINUTE },
  /** Key packages claimed by one account from another. */
  claim: { points: 6, seconds: HOUR, trickle: 10 * MINUTE },
  /** Uploads of key packages per device. */
  publish: { points: 30, seconds: HOUR },
  /** Changes of the device list, and enrolments, per account. */
  devices: { points: 30, seconds: HOUR },
  /** Conversations opened per account. */
  create_conversation: { points: 120, seconds: HOUR },
  /** Vault changes per account. */
  vault: { points: 120, seconds: HOUR },
} as const satisfies Record<string, Budget>

export type BudgetName = keyof typeof budgets

export interface Limits {
  /** Takes one from the budget of this key. Throws the refusal `rate_limited` when nothing is left. */
  spend(budget: BudgetName, key: string): Promise<void>
}

type Limiter = Pick<RateLimiterMemory, 'consume'>

/** `factor` multiplies every budget. */
export function createLimits({ factor }: { factor: number }): Limits {
  const limiters = new Map<string, Limiter>(Object.entries(budgets).map(([name, budget]) => [name, limiter(name, budget, factor)]))
  return {
    async spend(budget, key) {
      try {
        await limiters.get(budget)?.consume(key)
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error
        throw new Refusal('rate_limited', { retryAfter: Math.min(86_400, Math.max(1, Math.ceil(error.msBeforeNext / 1000))) })
      }
    },
  }
}

function limiter(name: string, { points, seconds, trickle }: Budget, factor: number): Limiter {
  if (!trickle) return new RateLimiterMemory({ keyPrefix: name, points: points * factor, duration: seconds })
  const slow = new RateLimiterMemory({ keyPrefix: name, points: factor, duration: trickle })
  const burst = new RateLimiterMemory({ keyPrefix: `${name}_burst`, points: (points - 1) * factor, duration: seconds })
  return new BurstyRateLimiter(slow, burst)
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
