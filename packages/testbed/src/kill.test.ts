import { expect, test } from 'vitest'
import { kill } from './faults/rows/f01-kill.ts'

const KILLS = 8

test(`${KILLS} kills of the server under a crowd that talks lose, repeat and reorder nothing`, { timeout: 300_000 }, async () => {
  const { violations, kills, acknowledged } = await kill.run(KILLS)
  expect(violations).toEqual([])
  expect(kills).toBe(KILLS)
  expect(acknowledged).toBeGreaterThan(KILLS * 1000)
})
