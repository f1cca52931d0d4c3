import type { ConversationId, DeviceId, Entry } from '@tacit/contract'
import { beforeEach, expect, test } from 'vitest'
import type { StoreDriver } from '../local-store/driver.ts'
import { openMemoryStore } from '../local-store/node-sqlite.ts'
import { migrate } from '../local-store/schema.ts'
import { ReadingMarker } from './marker.ts'

const conversation = 'AAAAAAAAAAAAAAAAAAAAAA' as ConversationId
const sender = 'BBBBBBBBBBBBBBBBBBBBBB' as DeviceId
const entry: Entry = { seq: 7, epoch: 1, kind: 'message', sender, clientSeq: 1, time: 0, bytes: new Uint8Array() }

const together = { kind: 'together' }
const oneByOne = (deadly: number | undefined) => ({ kind: 'one_by_one', deadly })

let store: StoreDriver
beforeEach(async () => {
  store = openMemoryStore()
  await migrate(store)
})

/** Another process on the same store. */
const begins = (): ReadingMarker => new ReadingMarker(store)

test('after a death the entries are read one by one, and after another one the deadly entry is known', async () => {
  await begins().mark({ conversation, first: entry, exact: false })
  const second = begins()
  expect(await second.approachTo(conversation)).toEqual(oneByOne(undefined))
  await second.mark({ conversation, first: entry, exact: true })
  expect(await begins().approachTo(conversation)).toEqual(oneByOne(7))
})

test('a process that could not read for want of room or network blames no entry, however often it tries', async () => {
  const marker = begins()
  for (let attempt = 0; attempt < 3; attempt += 1) {
    expect(await marker.approachTo(conversation)).toEqual(together)
    await marker.mark({ conversation, first: entry, exact: false })
    await marker.survived()
  }
  expect(await begins().approachTo(conversation)).toEqual(together)
})

test('nor when there is no room to take its marker away', async () => {
  const full = { ...driverOf(store), transaction: () => Promise.reject(new Error('full')) }
  const cramped = new ReadingMarker(full)
  expect(await cramped.approachTo(conversation)).toEqual(together)
  await expect(cramped.mark({ conversation, first: entry, exact: false })).rejects.toThrow('full')
  await cramped.survived()
  expect(await cramped.approachTo(conversation)).toEqual(together)
})

test('what killed an earlier process stays known while this one only fails', async () => {
  await begins().mark({ conversation, first: entry, exact: true })
  const marker = begins()
  await marker.mark({ conversation, first: { ...entry, seq: 5 }, exact: true })
  await marker.survived()
  expect(await marker.approachTo(conversation)).toEqual(oneByOne(7))
  expect(await begins().approachTo(conversation)).toEqual(oneByOne(7))
})

test('an end in order is no death', async () => {
  const marker = begins()
  await marker.mark({ conversation, first: entry, exact: false })
  await marker.end()
  await expect(marker.mark({ conversation, first: entry, exact: false })).rejects.toThrow('closed')
  expect(await begins().approachTo(conversation)).toEqual(together)
})

const driverOf = (driver: StoreDriver): StoreDriver => ({
  all: (...given) => driver.all(...given),
  get: (...given) => driver.get(...given),
  transaction: (work) => driver.transaction(work),
  close: () => driver.close(),
  wipe: () => driver.wipe(),
})
