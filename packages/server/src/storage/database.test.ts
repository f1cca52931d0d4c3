import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { openDatabase, type Database } from './database.ts'
import { migrations } from './migrations/index.ts'

const open: Database[] = []
const folders: string[] = []
const inMemory = async () => keep(await openDatabase({ path: ':memory:' }))
const keep = (database: Database) => {
  open.push(database)
  return database
}
const folder = () => {
  const path = mkdtempSync(join(tmpdir(), 'tacit-test-'))
  folders.push(path)
  return path
}

afterEach(async () => {
  for (const database of open.splice(0)) await database.close()
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true })
})

const insert = (id: string) => sql`insert into vault_unlock (account, kind, wrapped_key) values (${id}, 'password', x'00')`

test('writes run one after another, never interleaved, and a read between them sees only what is committed', async () => {
  const database = await inMemory()
  await database.exclusive((sqlite) => sqlite.exec('create table counter (n integer); insert into counter values (0)'))
  const increment = () =>
    database.write(async (tx) => {
      const { rows } = await sql<{ n: number }>`select n from counter`.execute(tx)
      await Promise.resolve()
      await sql`update counter set n = ${(rows[0]?.n ?? 0) + 1}`.execute(tx)
      return database.read((sqlite) => sqlite.prepare('select n from counter').get())
    })
  const seen = await Promise.all(Array.from({ length: 50 }, increment))
  expect(seen.map((row) => row?.['n'])).toEqual(Array.from({ length: 50 }, (_, at) => at))
})

test('a write that fails leaves nothing behind and does not stop the next one', async () => {
  const database = await inMemory()
  await database.exclusive((sqlite) => sqlite.exec('create table note (text text)'))
  await expect(
    database.write(async (tx) => {
      await sql`insert into note values ('lost')`.execute(tx)
      throw new Error('no')
    }),
  ).rejects.toThrow('no')
  await expect(
    database.exclusive((sqlite) => {
      sqlite.exec("insert into note values ('lost too')")
      throw new Error('neither')
    }),
  ).rejects.toThrow('neither')
  await database.write(async (tx) => sql`insert into note values ('kept')`.execute(tx))
  expect(database.read((sqlite) => sqlite.prepare('select text from note').all())).toEqual([{ text: 'kept' }])
})

test('the reading side cannot write', async () => {
  const database = await inMemory()
  await expect(database.kysely.deleteFrom('account').execute()).rejects.toThrow(/readonly/)
})

test('foreign keys are enforced', async () => {
  const database = await inMemory()
  await expect(database.write((tx) => insert('nobody').execute(tx))).rejects.toThrow(/FOREIGN KEY/)
})

test('a commit is durable before the promise resolves: WAL with synchronous FULL', async () => {
  const database = await inMemory()
  const pragma = (name: string) => database.exclusive((sqlite) => sqlite.prepare(`PRAGMA ${name}`).get())
  expect(await pragma('journal_mode')).toEqual({ journal_mode: 'wal' })
  expect(await pragma('synchronous')).toEqual({ synchronous: 2 })
})

test('migrations that fail midway leave the old schema, and the next start goes on from there', async () => {
  const path = join(folder(), 'db.sqlite')
  const broken = {
    ...migrations,
    '9998-half': {
      up: async (db: Parameters<(typeof migrations)[string]['up']>[0]) => void (await sql`create table half (n)`.execute(db)),
    },
    '9999-broken': { up: () => Promise.reject(new Error('power cut')) },
  }
  await expect(openDatabase({ path, migrations: broken })).rejects.toThrow('could not be brought up to date')
  const left = new DatabaseSync(path)
  expect(left.prepare("select name from sqlite_master where name in ('account', 'half')").all()).toEqual([])
  left.close()
  const database = keep(await openDatabase({ path }))
  expect(await database.kysely.selectFrom('account').selectAll().execute()).toEqual([])
})

test('a process killed in the middle of a migration leaves a database that the next start can use', async () => {
  const path = join(folder(), 'db.sqlite')
  const child = fork(new URL('./killed-migration.test-support.ts', import.meta.url), [path], { execArgv: ['-C', 'tacit-source'] })
  await once(child, 'message')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const database = keep(await openDatabase({ path }))
  expect(await database.kysely.selectFrom('account').selectAll().execute()).toEqual([])
  expect(database.read((sqlite) => sqlite.prepare("select name from sqlite_master where name = 'half'").all())).toEqual([])
})

test('closing waits for writes that were asked for and refuses later ones', async () => {
  const path = join(folder(), 'db.sqlite')
  const database = await openDatabase({ path })
  const write = database.exclusive((sqlite) => sqlite.exec('create table late (n)'))
  await Promise.all([write, database.close()])
  await expect(database.exclusive(() => 1)).rejects.toThrow('closed')
  expect(await keep(await openDatabase({ path })).healthy()).toBe(true)
})
