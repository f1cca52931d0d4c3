import { expect, test } from 'vitest'
import { Duties } from './duties.ts'
import { HandClock } from './hand-clock.test-support.ts'

function resting(duties: Duties, within: number): { over: boolean } {
  const state = { over: false }
  void duties.rest(within).then(() => (state.over = true))
  return state
}

test('a device rests when its last duty is done, also the one that followed from it', async () => {
  const clock = new HandClock()
  const duties = new Duties(clock)
  const first = duties.begin()
  const rest = resting(duties, 1000)
  first()
  const second = duties.begin()
  await clock.pass(1)
  expect(rest.over).toBe(false)
  second()
  second()
  await clock.pass(1)
  expect(rest.over).toBe(true)
})

test('nobody waits for longer than they said', async () => {
  const clock = new HandClock()
  const duties = new Duties(clock)
  duties.begin()
  const rest = resting(duties, 1000)
  await clock.pass(999)
  expect(rest.over).toBe(false)
  await clock.pass(1)
  expect(rest.over).toBe(true)
})

test('after the end nobody waits', async () => {
  const clock = new HandClock()
  const duties = new Duties(clock)
  duties.begin()
  const rest = resting(duties, 1000)
  duties.close()
  await clock.pass(0)
  expect(rest.over).toBe(true)
})

test('work counts until it is over, however it ends', async () => {
  const clock = new HandClock()
  const duties = new Duties(clock)
  await duties.during(Promise.reject(new Error('refused'))).catch(() => undefined)
  const rest = resting(duties, 1000)
  await clock.pass(1)
  expect(rest.over).toBe(true)
})
