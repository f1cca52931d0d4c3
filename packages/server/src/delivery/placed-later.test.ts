/** Logs are whole whether the index of entries has come so far or not (migration 0014); on PostgreSQL it always has. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ConversationId } from '@tacit/contract'
import { newPerson, type Person } from '../identity.test-support.ts'
import type { SqliteConnection } from '../storage/sqlite/engine.ts'
import { commit, converse, DAY, messageOf, openRooms, type Rooms } from './rooms.test-support.ts'

let rooms: Rooms
const [alice, bob] = await Promise.all([newPerson(), newPerson()])

beforeEach(async () => {
  rooms = await openRooms()
})
afterEach(() => rooms.close())

/** So many messages in one transaction. */
const says = ({ device }: Person, conversation: ConversationId, first: number, count: number, epoch = 1) =>
  Promise.all(
    Array.from({ length: count }, (_, at) => rooms.delivery.send(device, messageOf({ conversation, epoch, clientSeq: first + at }))),
  )

const upTo = (head: number, after = 0): number[] => Array.from({ length: head - after }, (_, at) => after + at + 1)

async function read(range: {
  conversation: ConversationId
  after?: number
  end: number
  limit?: number
  bytes?: number
}): Promise<number[]> {
  const [entries = []] = await rooms.store.ranges([{ after: 0, limit: 10_000, bytes: 1e9, ...range }])
  return entries.map(({ seq }) => seq)
}

const placesOfNothing = (sqlite: SqliteConnection) =>
  sqlite.prepare('SELECT seq FROM entry_place WHERE row NOT IN (SELECT id FROM entry_row)').all()

test('two logs that grow together can be read from anywhere to anywhere, at every moment', async () => {
  const [first, second] = [await converse(rooms, [alice, bob]), await converse(rooms, [alice, bob])]
  for (let round = 0; round < 20; round++) {
    const head = 41 + 40 * round
    await Promise.all([says(alice, first, 2 + 40 * round, 40), says(bob, second, 1 + 40 * round, 40)])
    for (const conversation of [first, second]) {
      expect(await read({ conversation, end: head })).toEqual(upTo(head))
      expect((await rooms.ledger.entries(conversation)).map(({ seq }) => seq)).toEqual(upTo(head))
      const after = Math.max(head - 70, 0)
      expect(await read({ conversation, after, end: head - 1, limit: 35 })).toEqual(upTo(after + 35, after))
      expect(await read({ conversation, after, end: head - 1 })).toEqual(upTo(head - 1, after))
      expect(await read({ conversation, after: head - 1, end: head, bytes: 1 })).toEqual([head])
    }
  }
  const counted = await rooms.database.kysely
    .selectFrom('entry')
    .select(({ fn }) => fn.countAll<number>().as('entries'))
    .executeTakeFirstOrThrow()
  expect(Number(counted.entries)).toBe(2 * 801)
})

test('what retention forgets is gone, and a commit stands behind what came before it, placed or not', async () => {
  const conversation = await converse(rooms, [alice, bob])
  for (let round = 0; round < 6; round++) await says(alice, conversation, 2 + 100 * round, 100)
  await says(alice, conversation, 602, 20)
  await commit(rooms, bob, { conversation, clientSeq: 1 })
  expect(await read({ conversation, end: 622 })).toEqual(upTo(622))
  await says(bob, conversation, 2, 30, 2)
  const stores = (person: Person, seq: number) =>
    rooms.delivery.acknowledge({ feed: undefined, device: person.device, body: { cursors: [{ conversation, seq }] } })
  await Promise.all([stores(alice, 652), stores(bob, 640)])
  rooms.clock.time += 2 * DAY
  expect(await rooms.retention.run()).toBe(640)
  expect(await read({ conversation, end: 652 })).toEqual(upTo(652, 640))
})

test.each(['a message', 'a commit'])('%s after the newest entries were deleted is there', async (what) => {
  const [gone, stays] = [await converse(rooms, [alice, bob]), await converse(rooms, [alice, bob])]
  await says(bob, gone, 1, 520)
  await says(bob, gone, 521, 80)
  await rooms.database.write((tx) => tx.deleteFrom('entry').where('conversation', '=', gone).where('seq', '>', 1).execute())
  expect(await read({ conversation: gone, end: 601 })).toEqual([1])
  if (rooms.database.kind === 'sqlite') expect(rooms.database.read(placesOfNothing)).toEqual([])
  if (what === 'a message') await says(alice, stays, 2, 1)
  else await commit(rooms, alice, { conversation: stays, clientSeq: 2 })
  expect(await read({ conversation: stays, end: 2 })).toEqual([1, 2])
  await says(bob, stays, 1, 1, what === 'a message' ? 1 : 2)
  expect(await read({ conversation: stays, end: 3 })).toEqual([1, 2, 3])
})
