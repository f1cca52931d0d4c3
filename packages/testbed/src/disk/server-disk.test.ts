/** The server's own database layer on disks that fail: what it promised, it keeps. */
import { ConversationId } from '@tacit/contract'
import { openSqlite } from '@tacit/server'
import { expect, test } from 'vitest'
import { SimulatedDisk } from './disk.ts'
import { SqliteEngine } from './sqlite-engine.ts'

const CONVERSATION = ConversationId.parse('A'.repeat(22))

const NOTHING_SURVIVES = { below: () => 0 }

/** The database in a process of its own, on this disk. */
async function begins(disk: SimulatedDisk) {
  const engine = await SqliteEngine.start()
  const machine = { disk, stopped: false }
  engine.mount('server', machine)
  const faults: unknown[] = []
  const database = await openSqlite({
    path: 'server/tacit.sqlite',
    open: (file) => engine.open(file),
    onDiskFault: (error) => faults.push(error),
  })
  return { database, machine, faults }
}

test('a transaction of a room during which the disk fails ends the process: nobody is answered, and nothing follows it', async () => {
  const disk = new SimulatedDisk()
  const { database, faults } = await begins(disk)
  disk.failNext('sync_error')
  const pair = { conversation: 'AAAAAAAAAAAAAAAAAAAAAA', epoch: 0, head: 0 }
  const answered = database.write((tx) =>
    tx
      .insertInto('log')
      .values({ ...pair, conversation: pair.conversation as never })
      .execute(),
  )
  await expect.poll(() => faults).toEqual([expect.objectContaining({ errcode: 10 })])
  const after = new Promise((resolve) => setTimeout(resolve, 50, 'nobody'))
  expect(await Promise.race([answered, after])).toBe('nobody')
  await expect(database.exclusive(() => 'more')).rejects.toThrow('closed')
})

test('so does the look whether all is well', async () => {
  const disk = new SimulatedDisk()
  const { database, faults } = await begins(disk)
  disk.failNext('write_error')
  const answered = database.healthy()
  await expect.poll(() => faults).toHaveLength(1)
  const after = new Promise((resolve) => setTimeout(resolve, 50, 'nobody'))
  expect(await Promise.race([answered, after])).toBe('nobody')
})

test('what is accepted after a sync that failed and a start on the same disk survives a power cut', async () => {
  const disk = new SimulatedDisk()
  const before = await begins(disk)
  await before.database.exclusive((sqlite) => sqlite.exec('CREATE TABLE note (n INTEGER)'))
  disk.failNext('sync_error')
  await expect(before.database.exclusive((sqlite) => sqlite.exec('INSERT INTO note VALUES (1)'))).rejects.toThrow(/./)
  before.machine.stopped = true
  const again = await begins(disk)
  await again.database.exclusive((sqlite) => sqlite.exec('INSERT INTO note VALUES (2)'))
  again.machine.stopped = true
  disk.cutPower(NOTHING_SURVIVES)
  const { database } = await begins(disk)
  const notes = database.read((sqlite) => sqlite.prepare('SELECT n FROM note').all()).map(({ n }) => n)
  expect(notes).toContain(2)
})

test('a transaction of a room for which the disk has no room is refused as that, and the next one works', async () => {
  const disk = new SimulatedDisk()
  const { database, faults } = await begins(disk)
  const insert = () => database.write((tx) => tx.insertInto('log').values({ conversation: CONVERSATION, epoch: 0, head: 0 }).execute())
  disk.capacity = disk.used
  await expect(insert()).rejects.toMatchObject({ errcode: 13 })
  disk.heal()
  await insert()
  expect(await database.kysely.selectFrom('log').select('conversation').execute()).toEqual([{ conversation: CONVERSATION }])
  expect(faults).toEqual([])
})
