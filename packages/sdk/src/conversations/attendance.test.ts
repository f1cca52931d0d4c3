import { beforeEach, expect, test } from 'vitest'
import { HandClock } from '../hand-clock.test-support.ts'
import { openMemoryStore } from '../local-store/node-sqlite.ts'
import { migrate } from '../local-store/schema.ts'
import type { StoreDriver } from '../local-store/driver.ts'
import { Attendance } from './attendance.ts'

const MINUTE = 60_000

let store: StoreDriver
let clock: HandClock
let ticks: number
beforeEach(async () => {
  store = openMemoryStore()
  clock = new HandClock()
  ticks = 0
  await migrate(store)
})

const open = (isOnline = () => true) => new Attendance({ store, clock, isOnline, tick: () => void ticks++ })

test('a device that is there for the first time was never away', async () => {
  const attendance = open()
  attendance.arrived()
  expect(await attendance.returned()).toBe(0)
})

test('whoever stays online is never back, and looks around now and then', async () => {
  const attendance = open()
  attendance.arrived()
  await clock.pass(120 * MINUTE)
  expect(await attendance.returned()).toBe(0)
  expect(ticks).toBe(30)
})

test('a short loss of the network is no absence, ten minutes are', async () => {
  const attendance = open()
  attendance.arrived()
  await attendance.returned()
  attendance.left()
  await clock.pass(9 * MINUTE)
  attendance.arrived()
  expect(await attendance.returned()).toBe(0)
  attendance.left()
  await clock.pass(10 * MINUTE)
  attendance.arrived()
  expect(await attendance.returned()).toBe(clock.now())
})

test('an absence is known over a restart, and a quick restart is none', async () => {
  const first = open()
  first.arrived()
  await first.returned()
  first.left()
  await clock.pass(5 * MINUTE)
  const second = open()
  second.arrived()
  expect(await second.returned()).toBe(0)
  second.left()
  await clock.pass(60 * MINUTE)
  const third = open()
  third.arrived()
  expect(await third.returned()).toBe(clock.now())
})
