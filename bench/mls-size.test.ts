import { expect, test } from 'vitest'
import { sizeOfEngine } from './mls-size.ts'

test('the engine takes at most 35 kB of a browser, gzipped', { timeout: 60_000 }, async () => {
  expect(await sizeOfEngine()).toBeLessThanOrEqual(35_000)
})
