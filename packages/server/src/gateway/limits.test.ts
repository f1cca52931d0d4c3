import { Refusal } from '@tacit/contract'
import { describe, expect, test } from 'vitest'
import { limitsConformance } from './limits.conformance.ts'
import { addressKey, budgets, createLimits } from './limits.ts'

describe('the budgets of a single process', () => {
  limitsConformance((factor) => {
    const limits = createLimits({ factor })
    return Promise.resolve({ limits, other: limits })
  })
})

test('requests of one address are counted by each server for itself, so that none waits for Redis', async () => {
  const limits = createLimits({ factor: 1, shared: { link: { prefix: '', ask: () => new Promise(() => undefined) }, hash: (key) => key } })
  for (let count = 0; count < budgets.request.points; count++) await limits.spend('request', 'alice')
  await expect(limits.spend('request', 'alice')).rejects.toThrow(Refusal)
})

test('one household of IPv6 addresses has one budget', () => {
  expect(addressKey('2001:db8:1:2::1')).toBe(addressKey('2001:0db8:1:2:ffff::9'.replace('0db8', 'db8')))
  expect(addressKey('2001:db8:1:2::1')).not.toBe(addressKey('2001:db8:1:3::1'))
  expect(addressKey('::1')).toBe('0:0:0:0')
  expect(addressKey('fe80::1%eth0')).toBe('fe80:0:0:0')
  expect(addressKey('::ffff:192.0.2.1')).toBe('192.0.2.1')
  expect(addressKey('192.0.2.1')).not.toBe(addressKey('192.0.2.2'))
})
