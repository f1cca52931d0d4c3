import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDevice } from '@tacit/sdk/node'
import { openWorld, PASSWORD, type World } from './index.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

test('a person sees every way in that was made, used or taken away, on any of their devices', async () => {
  const alice = await world.signedUp('Alice')
  const kit = await alice.makeRecoveryKit()
  await alice.setPassword({ password: `another ${PASSWORD}` })
  expect(kit).toBeDefined()
  await using second = await openDevice({ server: world.url, store: ':memory:' })
  await second.signIn({ handle: 'alice', password: `another ${PASSWORD}`, deviceName: 'Second' })
  const told = (await second.securityEvents({})).map(({ kind, method }) => (method === undefined ? kind : `${kind} ${method}`))
  expect(told).toEqual(['device_added', 'signed_in password', 'unlock_added password', 'unlock_added kit', 'account_made password'])
  const [newest] = await second.securityEvents({})
  expect(newest?.device).toBe((await second.devices()).find(({ current }) => current)?.device)
  expect(await second.securityEvents({ before: newest?.position ?? 0 })).toHaveLength(4)
})
