import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { faultFields } from '../../log.ts'
import { openSqlite, type SqliteDatabase } from './sqlite-database.ts'
import { checkStructure } from './structure.ts'

const PAGE = 4096

let file: string
let database: SqliteDatabase

beforeEach(async () => {
  file = join(mkdtempSync(join(tmpdir(), 'tacit-test-')), 'db.sqlite')
  database = await openSqlite({ path: file })
  await database.exclusive((sqlite) => {
    sqlite.exec('CREATE TABLE note (text TEXT)')
    const insert = sqlite.prepare('INSERT INTO note VALUES (?)')
    for (let at = 0; at < 500; at++) insert.run('something that was said '.repeat(10))
  })
})
afterEach(async () => {
  await database.close()
  rmSync(join(file, '..'), { recursive: true, force: true })
})

/** Closes the database and writes something else over the last page of a table. */
async function hurtLastPageOf(table: string): Promise<void> {
  const last = await database.exclusive((sqlite) => sqlite.prepare('SELECT max(pageno) AS page FROM dbstat WHERE name = ?').get(table))
  await database.close()
  hurt(Number(last?.['page']))
}

/** `page`: from 1. */
function hurt(page: number): void {
  const on = openSync(file, 'r+')
  writeSync(on, new Uint8Array(PAGE).fill(7), 0, PAGE, (page - 1) * PAGE)
  closeSync(on)
}

test('F-32: a sound file is not accused, while a server has it open and writes', async () => {
  const looking = checkStructure(file, AbortSignal.timeout(60_000))
  await database.exclusive((sqlite) => sqlite.exec("INSERT INTO note VALUES ('meanwhile')"))
  expect(await looking).toEqual([])
})

test('F-32: a page that is something else is named', async () => {
  await hurtLastPageOf('note')
  const found = await checkStructure(file, AbortSignal.timeout(60_000))
  expect(found.join()).toMatch(/page|malformed/i)
})

test('F-32: a file that is none is named, too', async () => {
  await database.close()
  hurt(1)
  expect(await checkStructure(file, AbortSignal.timeout(60_000))).toHaveLength(1)
})

test('a file that could not be looked at is not called damaged', async () => {
  await expect(checkStructure(join(file, '..', 'elsewhere.sqlite'), AbortSignal.timeout(60_000))).rejects.toThrow(/unable to open/)
})

test('a server that stops does not wait for it', async () => {
  const stopping = new AbortController()
  const looking = checkStructure(file, stopping.signal)
  stopping.abort()
  await expect(looking).rejects.toThrow(/abort/i)
})

test('what SQLite says of a damaged page reaches the log in its own words, and nothing of what was read', async () => {
  await hurtLastPageOf('note')
  const again = await openSqlite({ path: file })
  const error: unknown = await again.exclusive((sqlite) => sqlite.prepare('SELECT text FROM note').all()).catch((thrown: unknown) => thrown)
  await again.close()
  expect(faultFields(error)).toMatchObject({ code: 'ERR_SQLITE_ERROR: database disk image is malformed' })
})
