import { expect, test } from 'vitest'
import { HandClock } from './hand-clock.test-support.ts'
import { LifetimeClock } from './lifetime-clock.ts'

test('a retry that plans itself again ends with the lifetime, and leaves no timer behind', async () => {
  const clock = new HandClock()
  const lifetime = new LifetimeClock(clock)
  let tries = 0
  const again = (): void => {
    tries += 1
    lifetime.after(1000, again)
  }
  again()
  await clock.pass(2500)
  expect(tries).toBe(3)
  lifetime.end()
  again()
  await clock.pass(60_000)
  expect(tries).toBe(4)
  expect(clock.next).toBeUndefined()
})

test('a timer that was stopped does not ring', async () => {
  const clock = new HandClock()
  const lifetime = new LifetimeClock(clock)
  let rang = false
  lifetime.after(10, () => (rang = true))()
  await clock.pass(100)
  expect(rang).toBe(false)
})
