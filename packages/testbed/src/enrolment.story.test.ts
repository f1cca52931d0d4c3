/** Devices that are enrolled and cannot be kept: the account's list holds few, so no try may leave one behind. */
import { platformNetwork, type Network } from '@tacit/sdk'
import { openDevice, openMemoryStore, type StoreDriver } from '@tacit/sdk/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld, PASSWORD, type World } from './index.ts'

const TRIES = 3

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

test('somebody who signs in again and again while the disk is full leaves no device behind, and gets in when there is room', async () => {
  const alice = await world.signedUp('Alice')
  const store = openMemoryStore()
  await using tablet = await openDevice({ server: world.url, store })
  await leaveRoomFor(store, 1)
  for (let tries = 0; tries < TRIES; tries++)
    await expect(tablet.signIn({ handle: 'alice', password: PASSWORD })).rejects.toMatchObject({ failure: 'storage' })
  expect(await alice.devices()).toHaveLength(1)

  await leaveRoomFor(store, 100_000)
  await tablet.signIn({ handle: 'alice', password: PASSWORD })
  expect(await alice.devices()).toHaveLength(2)
  const conversation = await tablet.createGroup({ title: 'Room again', handles: [] })
  await tablet.send({ conversation, text: 'from the tablet' })
  expect(await alice.conversation('Room again')).toBe(conversation)
  await alice.sees(conversation, ['from the tablet'])
})

test('where nothing at all can be kept, the account is left as it is', async () => {
  const bob = await world.signedUp('Bob')
  const store = openMemoryStore()
  await using tablet = await openDevice({ server: world.url, store })
  await store.transaction((writer) => writer.run('pragma query_only = 1'))
  await expect(tablet.signIn({ handle: 'bob', password: PASSWORD })).rejects.toMatchObject({ failure: 'storage' })
  const kinds = (await bob.securityEvents({})).map(({ kind }) => kind)
  expect(kinds).not.toContain('device_added')
})

test('somebody who never hears that the device is enrolled takes its place with the next try', async () => {
  const carol = await world.signedUp('Carol')
  const network = new DeafToEnrolment()
  await using tablet = await openDevice({ server: world.url, store: ':memory:', network })
  for (let tries = 0; tries < TRIES; tries++)
    await expect(tablet.signIn({ handle: 'carol', password: PASSWORD })).rejects.toMatchObject({ failure: 'offline' })
  expect(await carol.devices()).toHaveLength(2)

  network.isDeaf = false
  await tablet.signIn({ handle: 'carol', password: PASSWORD })
  expect(await carol.devices()).toHaveLength(2)
})

test('somebody whose first device could not be kept signs in to the account that it made, and is its only device', async () => {
  const store = openMemoryStore()
  await using phone = await openDevice({ server: world.url, store })
  await leaveRoomFor(store, 1)
  await expect(phone.signUp({ handle: 'Dora', password: PASSWORD })).rejects.toMatchObject({ failure: 'storage' })
  await leaveRoomFor(store, 100_000)
  await phone.signIn({ handle: 'dora', password: PASSWORD })
  expect(await phone.devices()).toMatchObject([{ current: true }])
})

/** The database may grow by so many pages from now on. */
async function leaveRoomFor(store: StoreDriver, pages: number): Promise<void> {
  const row = await store.get('pragma page_count')
  await store.transaction((writer) => writer.run(`pragma max_page_count = ${Number(row?.['page_count']) + pages}`))
}

/** A network on which the server's answers to enrolments get lost. */
class DeafToEnrolment implements Network {
  isDeaf = true
  readonly openSocket = platformNetwork.openSocket
  readonly isOnline = platformNetwork.isOnline
  readonly onHint = platformNetwork.onHint

  async fetch(url: string, init: RequestInit): Promise<Response> {
    const response = await platformNetwork.fetch(url, init)
    if (this.isDeaf && init.method === 'POST' && url.endsWith('/v1/devices')) throw new TypeError('the answer was lost')
    return response
  }
}
