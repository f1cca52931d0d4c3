/** The simulation itself: a handful of worlds, and that a seed is a story that can be told again word for word. */
import { expect, test } from 'vitest'
import { runSeeds } from './seeds.ts'

const MINUTES = 60_000

test('whatever goes wrong in some simulated worlds, nothing that was accepted is lost', { timeout: 5 * MINUTES }, async () => {
  const { ran, accepted, violations } = await runSeeds({ from: 1, count: 6 })
  expect(ran.flatMap(({ seed, findings }) => findings.map((found) => ({ seed, ...found })))).toEqual([])
  expect(violations).toBe(0)
  expect(accepted).toBeGreaterThan(100)
})

test('a seed gives the same history again, in a world of its own and after another world', { timeout: 5 * MINUTES }, async () => {
  const [alone, after] = await Promise.all([runSeeds({ from: 8, count: 1 }), runSeeds({ from: 7, count: 2, workers: 1 })])
  const [first, second] = [alone.ran[0], after.ran[1]]
  expect(first?.seed).toBe(second?.seed)
  expect(first?.hash).toBe(second?.hash)
  expect(first?.events).toBe(second?.events)
})
