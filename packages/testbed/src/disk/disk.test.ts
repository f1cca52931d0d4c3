/** The simulated disk loses what a disk may lose and nothing else; SQLite on it is the real one. */
import { describe, expect, test } from 'vitest'
import { SimulatedDisk, type Chance } from './disk.ts'
import { SqliteEngine } from './sqlite-engine.ts'

/** Draws these, then zeros. */
const drawing = (...draws: number[]): Chance => ({ below: () => draws.shift() ?? 0 })

/** The order in which `cutPower` draws what survives. */
const SURVIVES = { none: 0, all: 1, first: 2 } as const

const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)

describe('what a power cut leaves', () => {
  test('what was synced stays, and of what was written since perhaps nothing', () => {
    const disk = new SimulatedDisk()
    const file = disk.make('log')
    file.write(bytes(1000, 1), 0)
    file.sync()
    file.write(bytes(1000, 2), 500)
    disk.cutPower(drawing(SURVIVES.none))
    expect(file.content()).toEqual(bytes(1000, 1))
  })

  test('perhaps all of it', () => {
    const disk = new SimulatedDisk()
    const file = disk.make('log')
    file.write(bytes(5000, 1), 0)
    file.truncate(4100)
    disk.cutPower(drawing(SURVIVES.all, 1, 0))
    expect(file.content()).toEqual(bytes(4100, 1))
  })

  test('or its first sectors, the last of them torn', () => {
    const disk = new SimulatedDisk()
    const file = disk.make('log')
    file.write(bytes(2048, 7), 0)
    disk.cutPower(drawing(SURVIVES.first, 2, 1, 100))
    expect(file.content()).toEqual(bytes(512 + 100, 7))
  })

  test('a sync that failed has stored nothing, and one that succeeds later does not make up for it', () => {
    const disk = new SimulatedDisk()
    const file = disk.make('log')
    file.write(bytes(10, 1), 0)
    disk.failNext('sync_error')
    expect(() => file.sync()).toThrow('failed')
    expect(file.content()).toEqual(bytes(10, 1))
    file.sync()
    disk.cutPower(drawing(SURVIVES.all))
    expect(file.content()).toEqual(bytes(0, 0))
  })

  test('disks that began alike do not see what the others write', () => {
    const image = new Map([['log', bytes(9000, 1)]])
    const [one, other] = [SimulatedDisk.holding(image), SimulatedDisk.holding(image)]
    one.make('log').write(bytes(10, 2), 4090)
    expect(other.make('log').content()).toEqual(bytes(9000, 1))
    expect(image.get('log')).toEqual(bytes(9000, 1))
  })
})

test('a full disk does not grow, but what is there can be written over', () => {
  const disk = new SimulatedDisk()
  const file = disk.make('log')
  file.write(bytes(100, 1), 0)
  disk.capacity = 100
  expect(() => file.write(bytes(1, 2), 100)).toThrow('full')
  file.write(bytes(100, 2), 0)
  expect(file.content()).toEqual(bytes(100, 2))
})

async function onMachine(disk: SimulatedDisk, name: string) {
  const engine = await SqliteEngine.start()
  const machine = { disk, stopped: false }
  engine.mount(name, machine)
  return { machine, open: () => engine.open(`${name}/data`) }
}

describe('SQLite on a simulated disk', () => {
  test('in WAL mode one connection reads what is committed while another writes', async () => {
    const { open } = await onMachine(new SimulatedDisk(), 'one')
    const writer = open()
    writer.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE item (n INTEGER)')
    const reader = open()
    const count = reader.prepare('SELECT count(*) AS n FROM item')
    writer.exec('BEGIN IMMEDIATE; INSERT INTO item VALUES (1)')
    expect(count.get()).toEqual({ n: 0 })
    expect(() => reader.exec('BEGIN IMMEDIATE')).toThrow('locked')
    writer.exec('COMMIT')
    expect(count.get()).toEqual({ n: 1 })
  })

  test('values come back as they went in', async () => {
    const { open } = await onMachine(new SimulatedDisk(), 'two')
    const database = open()
    database.exec('CREATE TABLE item (a, b, c, d, e, f)')
    const row = { a: 2 ** 53 - 1, b: -1, c: 'grün\0blau', d: new Uint8Array(), e: null, f: 0.5 }
    database.prepare('INSERT INTO item VALUES (?, ?, ?, ?, ?, ?)').run(...Object.values(row))
    expect(database.prepare('SELECT * FROM item').get()).toEqual(row)
    const bigints = database.prepare('SELECT a, b FROM item')
    bigints.setReadBigInts(true)
    expect(bigints.get()).toEqual({ a: 2n ** 53n - 1n, b: -1n })
  })

  test.each(['FULL', 'OFF'])(
    'with synchronous = %s, what was committed survives a power cut only if it was synced',
    async (synchronous) => {
      const disk = new SimulatedDisk()
      const { machine, open } = await onMachine(disk, 'three')
      const before = open()
      before.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; CREATE TABLE item (n INTEGER)`)
      before.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      disk.find('data')?.sync()
      for (let n = 0; n < 20; n += 1) before.exec(`INSERT INTO item VALUES (${n})`)
      machine.stopped = true
      expect(() => before.exec('INSERT INTO item VALUES (20)')).toThrow(/./)
      disk.cutPower(drawing(SURVIVES.none))
      const { open: openAgain } = await onMachine(disk, 'again')
      const after = openAgain()
      expect(after.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
      expect(after.prepare('SELECT count(*) AS n FROM item').get()).toEqual({ n: synchronous === 'FULL' ? 20 : 0 })
    },
  )

  test('a disk that fails, and one that is full, are told by their codes', async () => {
    const disk = new SimulatedDisk()
    const { open } = await onMachine(disk, 'four')
    const database = open()
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE item (bytes BLOB)')
    disk.capacity = disk.used
    expect(() => database.exec('INSERT INTO item VALUES (zeroblob(10000))')).toThrow(expect.objectContaining({ errcode: 13 }))
    disk.heal()
    disk.failNext('sync_error')
    expect(() => database.exec('INSERT INTO item VALUES (1)')).toThrow(expect.objectContaining({ errcode: 10 }))
  })
})
