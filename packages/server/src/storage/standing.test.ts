import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClientBase } from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { acknowledgedFile, LOST, Standing } from './postgres/standing.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tacit-standing-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A database with these logs. */
const databaseWith = (heads: Readonly<Record<string, number>>): Pick<ClientBase, 'query'> => {
  const query = async (_: string, [wanted]: [string[]]) => ({
    rows: wanted.flatMap((conversation) => {
      const head = heads[conversation]
      return head === undefined ? [] : [{ conversation, head: String(head) }]
    }),
  })
  return { query: query as ClientBase['query'] }
}

test('F-07: a database that has all that was acknowledged, or more, is used', async () => {
  const standing = new Standing(undefined)
  standing.acknowledged('a', 3)
  standing.acknowledged('a', 2)
  await standing.assertHasAll(databaseWith({ a: 3, b: 1 }))
  await standing.assertHasAll(databaseWith({ a: 4 }))
})

test('F-07: one that lacks an entry, or a whole log, is refused', async () => {
  const standing = new Standing(undefined)
  standing.acknowledged('a', 3)
  for (const heads of [{ a: 2 }, { b: 9 }, {}]) await expect(standing.assertHasAll(databaseWith(heads))).rejects.toThrow(LOST)
})

test('F-09: what is acknowledged on another connection while the database answers is not missing', async () => {
  const standing = new Standing(undefined)
  standing.acknowledged('a', 3)
  const database = databaseWith({ a: 3 })
  const answering = standing.assertHasAll(database)
  standing.acknowledged('a', 4)
  standing.acknowledged('b', 1)
  await answering
  await expect(standing.assertHasAll(databaseWith({ a: 3, b: 1 }))).rejects.toThrow(LOST)
})

test('F-07: also after a restart, until the operator accepts the loss', async () => {
  const before = new Standing(folder)
  before.acknowledged('a', 3)
  before.close()
  const standing = new Standing(folder)
  await expect(standing.assertHasAll(databaseWith({ a: 2 }))).rejects.toThrow(LOST)
  rmSync(acknowledgedFile(folder))
  await standing.assertHasAll(databaseWith({ a: 2 }))
  await new Standing(folder).assertHasAll(databaseWith({}))
})

test('F-07: the operator accepts the loss by a command, and a server without a folder needs none', () => {
  const standing = new Standing(folder)
  standing.acknowledged('a', 3)
  standing.close()
  const admin = (dataDir: string) => {
    const program = join(import.meta.dirname, '../admin/main.ts')
    const env = { PATH: process.env['PATH'], TACIT_DATA_DIR: dataDir }
    return spawnSync(process.execPath, ['-C', 'tacit-source', program, 'accept-lost-entries'], { env, encoding: 'utf8' })
  }
  expect(admin(folder)).toMatchObject({ status: 0, stdout: expect.stringContaining('is forgotten') })
  expect(existsSync(acknowledgedFile(folder))).toBe(false)
  expect(admin(':memory:')).toMatchObject({ status: 1, stderr: expect.stringContaining('by being started anew') })
})

test('what is remembered are the logs that were written to last', async () => {
  const standing = new Standing(undefined)
  for (let at = 0; at < 300; at++) standing.acknowledged(`log ${at}`, 1)
  const all = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`log ${at}`, 1]))
  await standing.assertHasAll(databaseWith({ ...all, 'log 0': 0, 'log 43': 0 }))
  await expect(standing.assertHasAll(databaseWith({ ...all, 'log 44': 0 }))).rejects.toThrow(LOST)
})
