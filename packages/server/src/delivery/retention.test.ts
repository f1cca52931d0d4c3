import type { ConversationId } from '@tacit/contract'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newPerson, type Person } from '../identity.test-support.ts'
import { removableCount } from './retention.ts'
import { commit, converse, DAY, messageOf, openRooms, type Rooms } from './rooms.test-support.ts'

let rooms: Rooms
const [alice, bob, carol] = await Promise.all([newPerson(), newPerson(), newPerson()])

beforeEach(async () => {
  rooms = await openRooms()
})
afterEach(() => rooms.close())

async function talk(people: readonly Person[], messages: number): Promise<ConversationId> {
  const conversation = await converse(rooms, people)
  for (let at = 0; at < messages; at++) await rooms.delivery.send(alice.device, messageOf({ conversation, epoch: 1, clientSeq: at + 2 }))
  return conversation
}

const stores = (person: Person, conversation: ConversationId, seq: number) =>
  rooms.delivery.acknowledge({ feed: undefined, device: person.device, body: { cursors: [{ conversation, seq }] } })

const left = async (conversation: ConversationId): Promise<number[]> => (await rooms.ledger.entries(conversation)).map(({ seq }) => seq)

describe('retention', () => {
  test('forgets what every member device has stored, after the time of grace', async () => {
    const conversation = await talk([alice, bob], 5)
    await Promise.all([stores(alice, conversation, 6), stores(bob, conversation, 4)])
    await rooms.retention.run()
    expect(await left(conversation)).toEqual([1, 2, 3, 4, 5, 6])
    rooms.clock.time += 2 * DAY
    await rooms.retention.run()
    expect(await left(conversation)).toEqual([5, 6])
  })

  test('at two servers at once forgets everything once, and nothing else', async () => {
    const conversation = await talk([alice, bob], 5)
    await Promise.all([stores(alice, conversation, 6), stores(bob, conversation, 4)])
    rooms.clock.time += 2 * DAY
    const removed = await Promise.all([rooms.retention.run(), rooms.newRetention().run()])
    expect(removed.toSorted((one, other) => one - other)).toEqual([0, 4])
    expect(await left(conversation)).toEqual([5, 6])
  })

  test('waits for the slowest member, but not for one that was removed', async () => {
    const conversation = await talk([alice, bob, carol], 3)
    await Promise.all([stores(alice, conversation, 4), stores(bob, conversation, 4)])
    rooms.clock.time += 2 * DAY
    await rooms.retention.run()
    expect(await left(conversation)).toEqual([2, 3, 4])
    await commit(rooms, alice, { conversation, clientSeq: 5, removed: [carol] })
    await rooms.retention.run()
    expect(await left(conversation)).toEqual([5])
  })

  test('forgets what is older than the retention time, whoever has not fetched it', async () => {
    const conversation = await talk([alice, bob], 2)
    rooms.clock.time += 20 * DAY
    await rooms.delivery.send(alice.device, messageOf({ conversation, epoch: 1, clientSeq: 4 }))
    rooms.clock.time += 11 * DAY
    await rooms.retention.run()
    expect(await left(conversation)).toEqual([4])
    expect(await rooms.delivery.entries(bob.device, { conversation, after: 0, limit: 10 })).toMatchObject({
      head: 4,
      entries: [{ seq: 4 }],
    })
  })

  test('keeps the hashes that a joiner needs for the transcript, and forgets older ones', async () => {
    const conversation = await talk([alice, bob], 3)
    await commit(rooms, alice, { conversation, clientSeq: 5 })
    await rooms.conversations.acknowledgeWelcomes(bob.device, await welcomesOf(bob))
    rooms.clock.time += 31 * DAY
    await rooms.retention.run()
    expect(await left(conversation)).toEqual([])
    expect((await rooms.ledger.hashes(conversation)).map(({ seq }) => seq)).toEqual([2, 3, 4, 5])
  })

  test('keeps the hashes for a welcome that waits, also when the group has moved on', async () => {
    const conversation = await talk([alice], 0)
    for (const clientSeq of [1, 2]) await commit(rooms, alice, { conversation, clientSeq })
    await commit(rooms, alice, { conversation, clientSeq: 3, added: [bob] })
    for (const clientSeq of [4, 5, 6]) await commit(rooms, alice, { conversation, clientSeq })
    await stores(alice, conversation, 6)
    rooms.clock.time += 2 * DAY
    await rooms.retention.run()
    expect(await left(conversation)).toEqual([4, 5, 6])
    expect((await rooms.ledger.hashes(conversation)).map(({ seq }) => seq)).toEqual([3, 4, 5, 6])
  })

  test('F-27: removes at most so many in one run, however far the clock jumped', async () => {
    await rooms.close()
    rooms = await openRooms({ retention: { entriesPerRun: 2 } })
    const conversation = await talk([alice, bob], 4)
    await rooms.retention.run()
    rooms.clock.time += 3650 * DAY
    expect([await rooms.retention.run(), await rooms.retention.run(), await rooms.retention.run()]).toEqual([2, 2, 1])
    expect(await left(conversation)).toEqual([])
  })

  test('of a busy server forgets twice as many as came in since the last run, so that it does not grow for ever', async () => {
    await rooms.close()
    rooms = await openRooms({ retention: { entriesPerRun: 2 } })
    const conversation = await talk([alice, bob], 9)
    await rooms.retention.run()
    rooms.clock.time += 31 * DAY
    for (const clientSeq of [11, 12, 13]) await rooms.delivery.send(alice.device, messageOf({ conversation, epoch: 1, clientSeq }))
    expect([await rooms.retention.run(), await rooms.retention.run(), await rooms.retention.run()]).toEqual([6, 2, 2])
    expect(await left(conversation)).toEqual([11, 12, 13])
  })

  test('comes to every conversation, a few in each run', async () => {
    await rooms.close()
    rooms = await openRooms({ retention: { conversationsPerRun: 2 } })
    const conversations = await Promise.all([1, 2, 3, 4, 5].map(() => talk([alice, bob], 1)))
    rooms.clock.time += 31 * DAY
    for (let run = 0; run < 3; run++) await rooms.retention.run()
    expect(await Promise.all(conversations.map(left))).toEqual(conversations.map(() => []))
  })

  test('lets everything else go on between two conversations, of which on SQLite each is done in one go', async () => {
    for (let at = 0; at < 3; at++) await talk([alice, bob], 1)
    let ended = false
    const run = rooms.retention.run().finally(() => (ended = true))
    await new Promise(setImmediate)
    expect(ended).toBe(false)
    await run
  })

  test('one run at a time: who asks meanwhile hears of the same, and a stop ends it after the conversation that it is at', async () => {
    const conversations = [await talk([alice, bob], 1), await talk([alice, bob], 1)]
    rooms.clock.time += 31 * DAY
    const runs = [rooms.retention.run(), rooms.retention.run()]
    await rooms.retention.stop()
    const [first = 0, second] = await Promise.all(runs)
    expect(second).toBe(first)
    expect((await Promise.all(conversations.map(left))).flat()).toHaveLength(4 - first)
    expect(first).toBeLessThan(4)
  })

  test('a counter that retention has forgotten is answered with the next one', async () => {
    const conversation = await talk([alice, bob], 1)
    for (const clientSeq of [3, 4, 5]) await commit(rooms, alice, { conversation, clientSeq })
    await rooms.conversations.acknowledgeWelcomes(bob.device, await welcomesOf(bob))
    rooms.clock.time += 31 * DAY
    await rooms.retention.run()
    const repeat = rooms.delivery.send(alice.device, messageOf({ conversation, epoch: 1, clientSeq: 2 }))
    await expect(repeat).rejects.toMatchObject({ failure: 'out_of_order', details: { expected: 6 } })
  })

  test('D-5: the last entry of a device is answered as before however long ago that was, so that it is not sent a second time', async () => {
    const conversation = await talk([alice, bob], 1)
    const { hash } = await rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 1, clientSeq: 1 }))
    for (const clientSeq of [3, 4, 5]) await commit(rooms, alice, { conversation, clientSeq })
    await rooms.conversations.acknowledgeWelcomes(bob.device, await welcomesOf(bob))
    rooms.clock.time += 31 * DAY
    await rooms.retention.run()
    const repeat = await rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 1, clientSeq: 1 }))
    expect(repeat).toEqual({ seq: 3, hash, duplicate: true })
    // The row that stays for it does not pass for the hash of another position.
    expect((await rooms.delivery.hashes(alice.device, { conversation, after: 0, limit: 10 })).hashes).toEqual([])
    expect((await rooms.delivery.hashes(alice.device, { conversation, after: 5, limit: 10 })).hashes).toHaveLength(1)
  })

  test('stops at the first entry that must stay, so that no gap opens', () => {
    const settings = { keepFor: 10, grace: 2 }
    const oldest = [5, 95, 4, 3].map((time, at) => ({ seq: at + 1, time }))
    expect(removableCount(oldest, { log: { storedByAll: 4 }, now: 96, settings })).toBe(1)
    expect(removableCount(oldest, { log: { storedByAll: 4 }, now: 98, settings })).toBe(4)
    expect(removableCount(oldest, { log: { storedByAll: 0 }, now: 6, settings })).toBe(0)
  })
})

async function welcomesOf(person: Person) {
  return (await rooms.ledger.welcomes()).filter(({ device }) => device === person.device).map(({ id }) => id)
}
