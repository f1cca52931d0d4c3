import { afterEach, beforeEach, expect, test } from 'vitest'
import { newPerson } from '../identity.test-support.ts'
import { REPEATS_WITHIN } from './delivery.store.ts'
import { converse, messageOf, openRooms, type Rooms } from './rooms.test-support.ts'

let rooms: Rooms
const [alice, bob] = await Promise.all([newPerson(), newPerson()])

beforeEach(async () => {
  rooms = await openRooms()
})
afterEach(() => rooms.close())

test('the newest entry of a device is answered as before however many others wrote since, a message and a commit', async () => {
  const conversation = await converse(rooms, [alice])
  const adding = await rooms.seats.seal(alice, { conversation, clientSeq: 1, added: [bob] })
  const committed = await rooms.conversations.commit(alice, adding)
  const say = (clientSeq: number) => rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 1, clientSeq }))
  await Promise.all(Array.from({ length: REPEATS_WITHIN + 10 }, (_, at) => say(at + 1)))
  expect(await rooms.conversations.commit(alice, adding)).toEqual({ ...committed, duplicate: true })
  const question = messageOf({ conversation, epoch: 1, clientSeq: 2 })
  const asked = await rooms.delivery.send(alice.device, question)
  await Promise.all(Array.from({ length: REPEATS_WITHIN }, (_, at) => say(REPEATS_WITHIN + 11 + at)))
  expect(await rooms.delivery.send(alice.device, question)).toEqual({ ...asked, duplicate: true })
})

test('of older ones those are answered that lie among the last of the log up to it, the others by the next counter', async () => {
  const conversation = await converse(rooms, [alice, bob])
  const say = (clientSeq: number) => rooms.delivery.send(bob.device, messageOf({ conversation, epoch: 1, clientSeq }))
  const first = await Promise.all(Array.from({ length: REPEATS_WITHIN + 1 }, (_, at) => say(at + 1)))
  expect(await say(2)).toEqual({ ...first[1], duplicate: true })
  await expect(say(1)).rejects.toMatchObject({ failure: 'out_of_order', details: { expected: REPEATS_WITHIN + 2 } })
  expect((await rooms.ledger.log(conversation))?.head).toBe(REPEATS_WITHIN + 2)
})
