import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSqlite, type SqliteDatabase } from './sqlite-database.ts'

let folder: string
let database: SqliteDatabase

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tacit-test-'))
  database = await openSqlite({ path: join(folder, 'db.sqlite') })
})
afterEach(async () => {
  await database.close()
  rmSync(folder, { recursive: true, force: true })
})

test('a commit is durable before the promise resolves: WAL with synchronous FULL', async () => {
  const pragma = (name: string) => database.exclusive((sqlite) => sqlite.prepare(`PRAGMA ${name}`).get())
  expect(await pragma('journal_mode')).toEqual({ journal_mode: 'wal' })
  expect(await pragma('synchronous')).toEqual({ synchronous: 2 })
  expect(await pragma('temp_store')).toEqual({ temp_store: 2 })
})

test('the hot path shares the queue of writes, is undone whole when it fails, and stops nobody', async () => {
  await database.exclusive((sqlite) => sqlite.exec('create table note (text text)'))
  const failing = database.exclusive((sqlite) => {
    sqlite.exec("insert into note values ('lost')")
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  await database.exclusive((sqlite) => sqlite.exec("insert into note values ('kept')"))
  expect(database.read((sqlite) => sqlite.prepare('select text from note').all())).toEqual([{ text: 'kept' }])
})

test('writes run one after another, never interleaved, and a read between them sees only what is committed', async () => {
  await database.exclusive((sqlite) => sqlite.exec('create table counter (n integer); insert into counter values (0)'))
  const increment = () =>
    database.exclusive((sqlite) => {
      const seen = database.read((reader) => reader.prepare('select n from counter').get())
      sqlite.exec('update counter set n = n + 1')
      return seen?.['n']
    })
  const seen = await Promise.all(Array.from({ length: 50 }, increment))
  expect(seen).toEqual(Array.from({ length: 50 }, (_, at) => at))
})

test('closing waits for writes that were asked for and refuses later ones', async () => {
  const write = database.exclusive((sqlite) => sqlite.exec('create table late (n)'))
  await Promise.all([write, database.close()])
  await expect(database.exclusive(() => 1)).rejects.toThrow('closed')
  database = await openSqlite({ path: join(folder, 'db.sqlite') })
  expect(await database.healthy()).toBe(true)
})
