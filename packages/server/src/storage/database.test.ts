import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { sql, type Kysely } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase, type Database, type DatabaseOptions } from './database.ts'
import { newPlace, type TestPlace } from './database.test-support.ts'
import { migrations } from './migrations/index.ts'

const open: Database[] = []
let folder: string
let place: TestPlace

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tacit-test-'))
  place = await newPlace({ own: true })
})
afterEach(async () => {
  for (const database of open.splice(0)) await database.close()
  await place.drop()
  rmSync(folder, { recursive: true, force: true })
})

/** The same place each time. */
async function openHere(options: Pick<DatabaseOptions, 'migrations'> = {}): Promise<Database> {
  const database = await openDatabase({ path: join(folder, 'db.sqlite'), url: place.url, ...options })
  open.push(database)
  return database
}

const tables = async (database: Database): Promise<string[]> => (await database.kysely.introspection.getTables()).map(({ name }) => name)
const insert = (id: string) =>
  sql`insert into account ${sql.raw('(id, handle, handle_folded, handle_skeleton, created_at)')} values (${id}, ${id}, ${id}, ${id}, 1)`
const accounts = async (database: Database): Promise<string[]> =>
  (await database.kysely.selectFrom('account').select('id').orderBy('id').execute()).map(({ id }) => id)

test('L-27: five hundred transactions may wait, one more is refused as unavailable, and when they are done there is room', async () => {
  const database = await openHere()
  const { promise: word, resolve: letGo } = Promise.withResolvers<void>()
  const waiting = Array.from({ length: 500 }, () => database.write(() => word))
  await expect(database.write(() => Promise.resolve())).rejects.toMatchObject({ failure: 'unavailable', details: { retryAfter: 1 } })
  letGo()
  await Promise.all(waiting)
  await expect(database.write(() => Promise.resolve('done'))).resolves.toBe('done')
})

test('who reads a row to change it keeps others from changing it meanwhile', async () => {
  const database = await openHere()
  await database.write((tx) => insert('counter').execute(tx))
  const increment = () =>
    database.write(async (tx) => {
      const { created_at } = await tx.selectFrom('account').select('created_at').forUpdate().executeTakeFirstOrThrow()
      await Promise.resolve()
      await tx
        .updateTable('account')
        .set({ created_at: created_at + 1 })
        .execute()
      return created_at
    })
  const seen = await Promise.all(Array.from({ length: 20 }, increment))
  expect(seen.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1))
})

test('a write that fails leaves nothing behind and does not stop the next one', async () => {
  const database = await openHere()
  const failing = database.write(async (tx) => {
    await insert('lost').execute(tx)
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  await database.write((tx) => insert('kept').execute(tx))
  expect(await accounts(database)).toEqual(['kept'])
})

test('of two who write the same key at once the second sees what the first wrote, and can refuse by name', async () => {
  const database = await openHere()
  const claim = () =>
    database.write(async (tx) => {
      const taken = await tx.selectFrom('account').select('id').where('handle', '=', 'same').executeTakeFirst()
      if (taken) return 'taken'
      await insert('same').execute(tx)
      return 'made'
    })
  expect((await Promise.all([claim(), claim(), claim()])).toSorted()).toEqual(['made', 'taken', 'taken'])
})

test('the reading side cannot write', async () => {
  const database = await openHere()
  await expect(database.kysely.deleteFrom('account').execute()).rejects.toThrow(/read-?only/)
})

test('foreign keys are enforced', async () => {
  const database = await openHere()
  const unlock = sql`insert into vault (account, generation) values ('nobody', 1)`
  await expect(database.write((tx) => unlock.execute(tx))).rejects.toThrow(/foreign key/i)
})

test('ids are ordered byte by byte, whatever the locale', async () => {
  const database = await openHere()
  const ids = ['a', 'B', '_', 'b', '-', 'A', '0']
  for (const id of ids) await database.write((tx) => insert(id).execute(tx))
  expect(await accounts(database)).toEqual(ids.toSorted())
})

test('migrations that fail midway leave the old schema, and the next start goes on from there', async () => {
  const broken = {
    ...migrations,
    '9998-half': { up: async (db: Kysely<unknown>) => void (await sql`create table half (n integer)`.execute(db)) },
    '9999-broken': { up: () => Promise.reject(new Error('power cut')) },
  }
  await expect(openHere({ migrations: broken })).rejects.toThrow('could not be brought up to date')
  const untouched = await openHere({ migrations: {} })
  expect((await tables(untouched)).filter((name) => ['account', 'half'].includes(name))).toEqual([])
  expect(await accounts(await openHere())).toEqual([])
})

test('a process killed in the middle of a migration leaves a database that the next start can use', async () => {
  const child = fork(new URL('./killed-migration.test-support.ts', import.meta.url), [join(folder, 'db.sqlite'), place.url], {
    execArgv: ['-C', 'tacit-source'],
  })
  await once(child, 'message')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const database = await openHere()
  expect(await accounts(database)).toEqual([])
  expect(await tables(database)).not.toContain('half')
})

test('closing waits for writes that were asked for and refuses later ones', async () => {
  const database = await openHere()
  const write = database.write((tx) => insert('late').execute(tx))
  await Promise.all([write, database.close()])
  await expect(database.write(() => Promise.resolve())).rejects.toThrow('closed')
  const again = await openHere()
  expect(await accounts(again)).toEqual(['late'])
  expect(await again.healthy()).toBe(true)
})
