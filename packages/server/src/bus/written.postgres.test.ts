import type { AccountId } from '@tacit/contract'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newAccountId } from '../identity.test-support.ts'
import { systemRandom } from '../random.ts'
import { openTestDatabase } from '../storage/database.test-support.ts'
import type { Database } from '../storage/database.ts'
import type { Notice } from './notices.ts'
import { forgetWritten, readWritten, writeDown } from './written.store.ts'

let database: Database
beforeEach(async () => {
  database = await openTestDatabase()
})
afterEach(() => database.close())

const about = (account: AccountId, at = 1): { id: string; at: number; notice: Notice } => ({
  id: systemRandom.id(),
  at,
  notice: { kind: 'sharing_changed', account },
})

const accountsIn = ({ rung }: Awaited<ReturnType<typeof readWritten>>): AccountId[] =>
  rung.flatMap(({ notice }) => (notice.kind === 'sharing_changed' ? [notice.account] : []))

test('who looks again is told what was written since, and what was still being written, whichever was begun first', async () => {
  const [early, late] = [newAccountId(), newAccountId()]
  const { horizon: before } = await readWritten(database.kysely, undefined)
  const [begun, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const slow = database.write(async (tx) => {
    await writeDown(tx, [about(early)])
    begun.resolve()
    await mayEnd.promise
  })
  await begun.promise
  await database.write((tx) => writeDown(tx, [about(late)]))
  const first = await readWritten(database.kysely, before)
  expect(accountsIn(first)).toEqual([late])
  mayEnd.resolve()
  await slow
  const second = await readWritten(database.kysely, first.horizon)
  expect(new Set(accountsIn(second))).toEqual(new Set([early, late]))
  const third = await readWritten(database.kysely, second.horizon)
  expect(accountsIn(third)).toEqual([])
})

test('nobody is told of what a restored backup has from another database', async () => {
  const { horizon } = await readWritten(database.kysely, undefined)
  await database.write(async (tx) => {
    await writeDown(tx, [about(newAccountId())])
    await sql`update written_notice set tx = tx + 1000000`.execute(tx)
  })
  expect(accountsIn(await readWritten(database.kysely, horizon))).toEqual([])
})

test('what everybody has read long ago is forgotten', async () => {
  const { horizon } = await readWritten(database.kysely, undefined)
  const [old, young] = [newAccountId(), newAccountId()]
  await database.write((tx) => writeDown(tx, [about(old, 10), about(young, 20)]))
  await database.write((tx) => forgetWritten(tx, 20))
  expect(accountsIn(await readWritten(database.kysely, horizon))).toEqual([young])
})
