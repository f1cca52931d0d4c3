import { expect, test } from 'vitest'
import { inBatches } from './in-batches.ts'

test('a long list lets others run in between, and comes back whole and in order', async () => {
  const items = Array.from({ length: 100 }, (_, at) => at)
  let turns = 0
  let done = false
  const other = (): void => {
    turns++
    if (!done) setImmediate(other)
  }
  setImmediate(other)
  expect(await inBatches(items, (item) => Promise.resolve(item * 2))).toEqual(items.map((item) => item * 2))
  done = true
  expect(turns).toBeGreaterThan(3)
})

test('after a failure no further batch begins', async () => {
  let begun = 0
  const work = (item: number): Promise<number> => {
    begun++
    return item === 3 ? Promise.reject(new Error('refused')) : Promise.resolve(item)
  }
  await expect(
    inBatches(
      Array.from({ length: 100 }, (_, at) => at),
      work,
    ),
  ).rejects.toThrow('refused')
  expect(begun).toBeLessThan(20)
})
