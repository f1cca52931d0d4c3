import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld, PASSWORD, type World } from './index.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

test('two devices that name themselves at the same moment are both in the vault', async () => {
  const first = await world.signedUp('Alice')
  const devices = await Promise.all(['Tablet', 'Phone', 'Terminal'].map((name) => world.device(name)))
  for (const [at, device] of devices.entries())
    await device.signIn({ handle: 'alice', password: PASSWORD, deviceName: ['Tablet', 'Phone', 'Terminal'][at] ?? '' })
  const names = (await first.devices()).map(({ name }) => name)
  expect(names.toSorted()).toEqual(['Device', 'Phone', 'Tablet', 'Terminal'])
})
