import { Refusal } from '@tacit/contract'
import { expect, test } from 'vitest'
import { addressKey, budgets, createLimits, type BudgetName } from './limits.ts'

const names = Object.keys(budgets) as BudgetName[]

test.each(names)('the budget %s gives exactly its points and then refuses with a time to wait', async (name) => {
  const limits = createLimits({ factor: 1 })
  for (let count = 0; count < budgets[name].points; count++) await limits.spend(name, 'alice')
  const refusal = await limits.spend(name, 'alice').catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(Refusal)
  if (!(refusal instanceof Refusal)) return
  expect(refusal.failure).toBe('rate_limited')
  expect(refusal.details.retryAfter).toBeGreaterThan(0)
  await expect(limits.spend(name, 'bob')).resolves.toBeUndefined()
})

test('budgets do not share points, and the factor multiplies each', async () => {
  const limits = createLimits({ factor: 2 })
  for (let count = 0; count < budgets.sign_in_account.points * 2; count++) await limits.spend('sign_in_account', 'alice')
  await expect(limits.spend('sign_in_account', 'alice')).rejects.toThrow(Refusal)
  await expect(limits.spend('sign_in_address', 'alice')).resolves.toBeUndefined()
})

test('one household of IPv6 addresses has one budget', () => {
  expect(addressKey('2001:db8:1:2::1')).toBe(addressKey('2001:0db8:1:2:ffff::9'.replace('0db8', 'db8')))
  expect(addressKey('2001:db8:1:2::1')).not.toBe(addressKey('2001:db8:1:3::1'))
  expect(addressKey('::1')).toBe('0:0:0:0')
  expect(addressKey('fe80::1%eth0')).toBe('fe80:0:0:0')
  expect(addressKey('::ffff:192.0.2.1')).toBe('192.0.2.1')
  expect(addressKey('192.0.2.1')).not.toBe(addressKey('192.0.2.2'))
})
