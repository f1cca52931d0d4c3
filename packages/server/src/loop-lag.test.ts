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
