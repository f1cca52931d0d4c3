import { afterEach, beforeEach, expect, test } from 'vitest'
import { newPerson } from '../identity.test-support.ts'
import { converse, messageOf, openRooms, type Rooms } from '../delivery/rooms.test-support.ts'
import { Inspection, type Damage } from './inspection.ts'

let rooms: Rooms
const [alice, bob] = await Promise.all([newPerson(), newPerson()])
beforeEach(async () => {
  rooms = await openRooms()
})
afterEach(() => rooms.close())

/** Two logs, the second longer than a page. */
async function logs() {
  const short = await converse(rooms, [alice, bob])
  const long = await converse(rooms, [alice, bob])
  for (let at = 0; at < 120; at++) await rooms.delivery.send(alice.device, messageOf({ conversation: long, epoch: 1, clientSeq: at + 2 }))
  return { short, long }
}

function inspection({ structure = [] }: { structure?: readonly string[] } = {}) {
  const told: Damage[] = []
  const one = new Inspection({
    database: { kysely: rooms.database.kysely, structure: () => Promise.resolve(structure) },
    lag: { worst: 0 },
    found: (damage) => told.push(damage),
    failed: (error) => expect.fail(String(error)),
  })
  return { one, told }
}

test('F-32: what is as it was written is not accused', async () => {
  await logs()
  const { one, told } = inspection()
  expect(await one.inspect()).toEqual({ entries: 0, unreadable: false, structure: [] })
  expect(told).toEqual([])
})

test('F-32: each entry with a wrong bit is found, on whichever page', async () => {
  const { short, long } = await logs()
  for (const [conversation, seq] of [
    [short, 1],
    [long, 2],
    [long, 121],
  ] as const) {
    const { bytes } = await rooms.database.kysely
      .selectFrom('entry')
      .select('bytes')
      .where('conversation', '=', conversation)
      .where('seq', '=', seq)
      .executeTakeFirstOrThrow()
    const rotten = new Uint8Array(bytes ?? [])
    rotten[rotten.length >> 1] = (rotten[rotten.length >> 1] ?? 0) ^ 1
    await rooms.database.write((tx) =>
      tx.updateTable('entry').set({ bytes: rotten }).where('conversation', '=', conversation).where('seq', '=', seq).execute(),
    )
  }
  const { one, told } = inspection()
  expect(await one.inspect()).toEqual({ entries: 3, unreadable: false, structure: [] })
  expect(told).toEqual([{ entries: 3, unreadable: false, structure: [] }])
  expect(one.damage).toEqual({ entries: 3, unreadable: false, structure: [] })
})

test('F-32: what the database finds in its own structure stays known, whatever the entries say afterwards', async () => {
  await logs()
  const structure = ['Tree 4 page 7: btreeInitPage() returns error code 11']
  const { one, told } = inspection({ structure })
  expect(await one.inspectStructure()).toEqual({ entries: 0, unreadable: false, structure })
  expect(told).toEqual([{ entries: 0, unreadable: false, structure }])
  expect(await one.inspect()).toEqual({ entries: 0, unreadable: false, structure })
})
