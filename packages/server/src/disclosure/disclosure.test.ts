import { randomBytes } from 'node:crypto'
import type { Problem } from '@tacit/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { member, openTown, secondDevice, type Member, type Town } from '../cast.test-support.ts'
import { tablesOfSchema } from '../storage/database.test-support.ts'
import { whose } from './whose.ts'

let town: Town
let alice: Member
let bob: Member
beforeAll(async () => {
  town = await openTown()
  alice = await member(town, 'alice')
  bob = await member(town, 'bob')
})
afterAll(() => town.close())

interface Overview {
  readonly tables: { table: string; rows: number; columns: { column: string; what: string; kept: string }[] }[]
}

const overview = async ({ token }: Member) => (await town.request<Overview>('/v1/me/held', { token })).body.tables
const rowsOf = async ({ token }: Member, table: string, query = '') =>
  (await town.request<{ rows: (string | null)[][] }>(`/v1/me/held/${table}${query}`, { token })).body.rows

test('every table of the schema has an answer to whose its rows are', async () => {
  const names = (await tablesOfSchema()).map(({ name }) => name)
  expect(Object.keys(whose).toSorted()).toEqual(names.toSorted())
})

test('a person sees their own rows with every column explained, and nobody else their rows', async () => {
  await secondDevice(town, alice.person)
  const [hers, his] = [await overview(alice), await overview(bob)]
  const count = (tables: Overview['tables'], table: string) => tables.find((one) => one.table === table)?.rows
  expect([count(hers, 'device'), count(his, 'device')]).toEqual([2, 1])
  expect([count(hers, 'transparency_place'), count(his, 'transparency_place')]).toEqual([1, 1])
  for (const { table, columns } of hers) {
    expect(columns.length, table).toBeGreaterThan(0)
    const rows = await rowsOf(alice, table)
    for (const row of rows) expect(row, table).toHaveLength(columns.length)
    const all = JSON.stringify(rows)
    expect(all, table).not.toContain(bob.person.account)
    expect(all, table).not.toContain(bob.device)
  }
  const [account] = await rowsOf(alice, 'account')
  expect(account).toContain('alice')
})

test('rows come in pages that miss and repeat none', async () => {
  const all = await rowsOf(alice, 'key_package', '?limit=200')
  expect(all.length).toBeGreaterThan(1)
  const pages = []
  for (let after = 0; after < all.length; after += 1) pages.push(...(await rowsOf(alice, 'key_package', `?after=${after}&limit=1`)))
  expect(pages).toEqual(all)
})

test('a table about nobody, or that does not exist, is not to be had', async () => {
  for (const table of ['server_secret', 'transparency_node', 'sqlite_master', `x${randomBytes(3).toString('hex')}`, 'account%3B--']) {
    const refused = await town.request<Problem>(`/v1/me/held/${table}`, { token: alice.token })
    expect([refused.status, refused.body.name], table).toEqual([404, 'not_found'])
  }
})
