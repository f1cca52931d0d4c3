import { AccountId, ConversationId } from '@tacit/contract'
import { beforeEach, expect, test } from 'vitest'
import { HandClock } from '../hand-clock.test-support.ts'
import type { StoreDriver } from '../local-store/driver.ts'
import { openMemoryStore } from '../local-store/node-sqlite.ts'
import { migrate } from '../local-store/schema.ts'
import { mintId } from '../sealing.ts'
import { platformRandom } from '../surroundings.ts'
import { addIntent, eraseIntent, waitingRemovals } from './intent.store.ts'
import { Removals } from './removals.ts'

const SECOND = 1000
const conversation = mintId(platformRandom, ConversationId)
const account = mintId(platformRandom, AccountId)

let store: StoreDriver
let clock: HandClock
let alarms: number
beforeEach(async () => {
  store = openMemoryStore()
  clock = new HandClock()
  alarms = 0
  await migrate(store)
})

const open = () => new Removals({ store, clock, changed: () => void alarms++ })

const ask = (removals: Removals): Promise<number> =>
  store
    .transaction((writer) => addIntent(writer, { conversation, intent: { kind: 'remove', account }, now: clock.now() }))
    .finally(() => removals.asked())

const isLate = async (): Promise<boolean> => (await waitingRemovals(store, conversation)).some(({ late }) => late)

test('a removal that the log does not have after a minute of connection is late, and it is said once', async () => {
  const removals = open()
  removals.connected()
  await clock.pass(500 * SECOND)
  const asked = clock.now()
  await ask(removals)
  expect(await waitingRemovals(store, conversation)).toEqual([{ account, asked, late: false }])
  await clock.pass(55 * SECOND)
  expect([await isLate(), alarms]).toEqual([false, 0])
  await clock.pass(5 * SECOND)
  expect([await isLate(), alarms]).toEqual([true, 1])
  await clock.pass(600 * SECOND)
  expect(alarms).toBe(1)
  expect(clock.next).toBeUndefined()
})

test('a server that ends every connection after a few seconds gains nothing by it, and neither do programs that end', async () => {
  let removals = open()
  await ask(removals)
  for (let round = 0; round < 15; round++) {
    removals.connected()
    await clock.pass(4 * SECOND)
    removals.disconnected()
    await clock.pass(3600 * SECOND)
    removals = open()
  }
  expect([await isLate(), alarms]).toEqual([true, 1])
})

test('time without a connection, or asleep, is no reason to suspect the server', async () => {
  const removals = open()
  await ask(removals)
  await clock.pass(3600 * SECOND)
  removals.connected()
  clock.jump(8 * 3600 * SECOND)
  await clock.pass(10 * SECOND)
  expect([await isLate(), alarms]).toEqual([false, 0])
})

test('a removal that is done is neither waited for nor counted', async () => {
  const removals = open()
  removals.connected()
  const position = await ask(removals)
  await clock.pass(30 * SECOND)
  await store.transaction((writer) => eraseIntent(writer, position))
  await clock.pass(3600 * SECOND)
  expect(await waitingRemovals(store, conversation)).toEqual([])
  expect([alarms, clock.next]).toEqual([0, undefined])
})
