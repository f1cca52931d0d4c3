import { afterEach, expect, test } from 'vitest'
import { newAccountId } from '../identity.test-support.ts'
import { systemRandom as random } from '../random.ts'
import type { Database } from '../storage/database.ts'
import { openTestDatabase } from '../storage/database.test-support.ts'
import { makeRecoveryCode, sweepRecoveryCodes, useRecoveryCode } from './recovery-codes.ts'

const HOUR = 3_600_000
const account = newAccountId()
let database: Database
let now = 0
const clock = { now: () => now }

afterEach(() => database.close())

async function made(): Promise<string> {
  database = await openTestDatabase()
  const row = { id: account, handle: 'Alice', handle_folded: 'alice', handle_skeleton: 'alice', shares_presence: 0, created_at: 0 } as const
  await database.write((tx) => tx.insertInto('account').values(row).execute())
  return makeRecoveryCode({ database, clock, random }, account)
}

const useAs = (whose: typeof account | undefined, code: string) => useRecoveryCode({ database, clock }, { account: whose, code })
const use = (code: string) => useAs(account, code)
const refused = { failure: 'wrong_credentials' }

test('a code is good once, however it is typed, for the person it was made for', async () => {
  const code = await made()
  expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}$/)
  await expect(useAs(newAccountId(), code)).rejects.toMatchObject(refused)
  await expect(useAs(undefined, code)).rejects.toMatchObject(refused)
  await expect(use(code.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')))).rejects.toMatchObject(refused)
  expect(await use(code.toLowerCase().replaceAll('-', ' '))).toBe(account)
  await expect(use(code)).rejects.toMatchObject(refused)
})

test('a code ends after a day, and when another one is made', async () => {
  const first = await made()
  const second = await makeRecoveryCode({ database, clock, random }, account)
  await expect(use(first)).rejects.toMatchObject(refused)
  now += 24 * HOUR
  await expect(use(second)).rejects.toMatchObject(refused)
  const third = await makeRecoveryCode({ database, clock, random }, account)
  now += 24 * HOUR - 1
  await sweepRecoveryCodes({ database, clock })
  expect(await use(third)).toBe(account)
})

test('the code itself is nowhere in the database', async () => {
  const code = await made()
  const rows = await database.kysely.selectFrom('recovery_code').selectAll().execute()
  expect(rows).toHaveLength(1)
  expect(JSON.stringify(rows)).not.toContain(code)
})
