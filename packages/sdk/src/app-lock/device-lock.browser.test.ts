import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { HandClock } from '../hand-clock.test-support.ts'
import { eraseKey, markKeyInUse, mintKey } from '../local-store/device-key.browser.ts'
import { platformRandom } from '../surroundings.ts'
import { DeviceLock } from './device-lock.browser.ts'

// Each try costs what it shall cost somebody who guesses, and the machine may be slow.
vi.setConfig({ testTimeout: 120_000 })

const MINUTE = 60_000
const secret = { kind: 'pin', pin: '161803' } as const
const wrong = { kind: 'pin', pin: '161804' } as const

let place = ''
let clock = new HandClock()
beforeEach(async () => {
  place = `lock-${crypto.randomUUID()}`
  clock = new HandClock()
  await mintKey(place)
  await markKeyInUse(place)
})
afterEach(() => eraseKey(place))

test('a person who stays away for the time that was set finds it locked, and one who comes back in between does not', async () => {
  const { lock, due } = await open()
  await clock.pass(4 * MINUTE)
  lock.stillHere()
  await clock.pass(4 * MINUTE)
  expect(due()).toBe(0)
  await clock.pass(MINUTE)
  expect(due()).toBe(1)
})

test('after a sleep in which no timer ran, the first sign of the person locks instead of putting it off', async () => {
  const { lock, due } = await open()
  clock.jump(3 * 60 * MINUTE)
  lock.stillHere()
  expect(due()).toBe(1)
})

test('a clock that was set back locks, too: nobody knows how long the person was away', async () => {
  const { lock, due } = await open()
  clock.jump(-MINUTE)
  lock.stillHere()
  expect(due()).toBe(1)
})

test('waiting after wrong tries doubles, ends at an hour, and begins anew after a right one', async () => {
  const { lock } = await open()
  await lock.lock()
  const waits: (number | undefined)[] = []
  for (let tries = 0; tries < 14; tries++) {
    const error: unknown = await lock.unlock({ secret: wrong }).catch((thrown: unknown) => thrown)
    waits.push(Object(error).retryAfter)
    clock.jump(3_600_000)
  }
  expect(waits).toEqual([undefined, undefined, undefined, undefined, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600])
  await lock.unlock({ secret })
  await lock.lock()
  await expect(lock.unlock({ secret: wrong })).rejects.toMatchObject({ retryAfter: undefined })
})

test('while it waits after wrong tries not even the right PIN opens, and a clock that is set back does not prolong it for ever', async () => {
  const { lock } = await open()
  await lock.lock()
  for (let tries = 0; tries < 5; tries++)
    await expect(lock.unlock({ secret: wrong })).rejects.toMatchObject({ failure: 'wrong_lock_secret' })
  await expect(lock.unlock({ secret })).rejects.toMatchObject({ failure: 'rate_limited', retryAfter: 30 })
  expect(lock.key).toBeUndefined()
  clock.jump(-2 * 60 * MINUTE)
  await lock.unlock({ secret })
  expect(lock.key).toHaveLength(32)
})

test('whoever changes or removes the lock has to open it with the PIN until now, also while it is open', async () => {
  const { lock } = await open()
  const newer = { kind: 'pin', pin: '271828' } as const
  await expect(lock.set({ secret: newer, afterMinutes: 5 })).rejects.toMatchObject({ failure: 'wrong_lock_secret' })
  await expect(lock.set({ secret: newer, afterMinutes: 5, current: wrong })).rejects.toMatchObject({ failure: 'wrong_lock_secret' })
  await expect(lock.remove({ current: wrong })).rejects.toMatchObject({ failure: 'wrong_lock_secret' })
  await lock.set({ secret: newer, afterMinutes: 5, current: secret })
  await lock.lock()
  await expect(lock.unlock({ secret })).rejects.toMatchObject({ failure: 'wrong_lock_secret' })
  await lock.unlock({ secret: newer })
  await lock.remove({ current: newer })
  expect(lock.state.get()).toEqual({ kind: 'off' })
})

test('a lock that is closed has no key in memory', async () => {
  const { lock } = await open()
  const { key } = lock
  expect(key).toHaveLength(32)
  await lock.lock()
  expect(lock.key).toBeUndefined()
  expect(key).toEqual(new Uint8Array(32))
})

async function open() {
  const lock = new DeviceLock({ place, clock, random: platformRandom })
  let dues = 0
  lock.onDue = () => dues++
  await lock.set({ secret, afterMinutes: 5 })
  return { lock, due: () => dues }
}
