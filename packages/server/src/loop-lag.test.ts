import { expect, test } from 'vitest'
import { LoopLag, type Shedding } from './loop-lag.ts'

/** What is shed after beats that came so late, milliseconds. */
function sheddingAfter(...lags: number[]): Shedding {
  const time = { at: 0 }
  const lag = new LoopLag({ elapsed: () => time.at })
  lag.beat()
  for (const late of lags) {
    time.at += 100 + late
    lag.beat()
  }
  return lag.shedding
}

test('L-26: a loop that is in time sheds nothing', () => {
  expect(sheddingAfter()).toBe('nothing')
  expect(sheddingAfter(0, 15, 199, 200)).toBe('nothing')
})

test('L-26: over 200 ms late newcomers are sent away, over 1 s also new work', () => {
  expect([201, 1000, 1001].map((late) => sheddingAfter(late))).toEqual(['newcomers', 'newcomers', 'work'])
})

test('L-26: what was late is forgotten after a second in time', () => {
  const inTime = (beats: number): number[] => Array.from({ length: beats }, () => 0)
  expect([9, 10].map((beats) => sheddingAfter(3000, ...inTime(beats)))).toEqual(['work', 'nothing'])
})

test('a beat that comes early is not late', () => {
  expect(sheddingAfter(-100, -50)).toBe('nothing')
})

/** What is shed after beats in time at which so much of the heap was in use. */
function sheddingWith(...uses: number[]): Shedding {
  const now = { at: 0, use: 0 }
  const lag = new LoopLag({ elapsed: () => now.at, heapUse: () => now.use })
  for (const use of uses) {
    Object.assign(now, { at: now.at + 100, use })
    lag.beat()
  }
  return lag.shedding
}

test('F-36: with 80 % of the heap in use for a second newcomers are sent away, with 90 % also new work', () => {
  const forASecond = (use: number): number[] => Array.from({ length: 10 }, () => use)
  expect([0.8, 0.81, 0.9, 0.91].map((use) => sheddingWith(...forASecond(use)))).toEqual(['nothing', 'newcomers', 'newcomers', 'work'])
})

test('F-36: garbage that is collected within a second sheds nothing', () => {
  expect(sheddingWith(0.95, 0.97, 0.99, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)).toBe('nothing')
  expect(sheddingWith(0.95, 0.97, 0.99)).toBe('nothing')
})
