import { Refusal } from '@tacit/contract'
import { afterEach, describe, expect, test } from 'vitest'
import { newPrefix, openLink, redisUrl } from '../bus/redis.test-support.ts'
import type { RedisLink } from '../bus/redis-link.ts'
import { budgetNames, limitsConformance } from './limits.conformance.ts'
import { budgets, createLimits, type BudgetName, type Limits } from './limits.ts'

const links: RedisLink[] = []
afterEach(() => {
  for (const link of links.splice(0)) link.close()
})

const hash = (key: string): string => `hash of ${key}`

describe.skipIf(!redisUrl)('the budgets of several servers', () => {
  limitsConformance(async (factor) => {
    const prefix = newPrefix()
    const open = async (): Promise<Limits> => {
      const link = await openLink(prefix)
      links.push(link)
      return createLimits({ factor, shared: { link, hash } })
    }
    return { limits: await open(), other: await open() }
  })

  test('leave no key in Redis that says whose it is', async () => {
    const link = await openLink()
    links.push(link)
    const limits = createLimits({ factor: 1, shared: { link, hash: (key) => (key === '192.0.2.1' ? 'x' : '') } })
    await limits.spend('sign_in_address', '192.0.2.1')
    expect(await link.ask((redis) => redis.keys(`${link.prefix}*`))).toEqual([`${link.prefix}budget:sign_in_address:x`])
  })
})

/** How many a server gives out alone. */
async function given(limits: Limits, name: BudgetName): Promise<number> {
  for (let count = 0; ; count++) {
    try {
      await limits.spend(name, 'alice')
    } catch (error) {
      if (error instanceof Refusal && error.failure === 'rate_limited') return count
      throw error
    }
  }
}

/** F-14. `claim` and `look_up` give their first trickle beside the burst. */
test.each(budgetNames)('without Redis a server goes on with its share of %s, neither open nor closed', async (name) => {
  const ask = (): Promise<never> => Promise.reject(new Error('no Redis'))
  const limits = createLimits({ factor: 1, shared: { link: { prefix: '', ask }, hash } })
  const { points, alone } = budgets[name]
  const count = await given(limits, name)
  if (alone === 'whole') expect(count).toBe(points)
  else expect(count).toBe(Math.ceil((points - ('trickle' in budgets[name] ? 1 : 0)) / 4) + ('trickle' in budgets[name] ? 1 : 0))
})
