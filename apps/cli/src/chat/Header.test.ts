import { expect, test } from 'vitest'
import { reachOf } from './Header.ts'

test('what waits to be sent is told while the server cannot be reached, and only then', () => {
  expect(reachOf({ kind: 'offline', unsent: 3 })).toBe('offline · 3 waiting to be sent')
  expect(reachOf({ kind: 'waiting', until: 0, unsent: 1 })).toBe('offline, trying again · 1 waiting to be sent')
  expect(reachOf({ kind: 'offline', unsent: 0 })).toBe('offline')
  expect(reachOf({ kind: 'online', unsent: 2 })).toBe('online')
})
