/** Migration 0012 over a database that was in use: every table keeps its rows, and what was accepted is answered as before. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ConversationId } from '@tacit/contract'
import { ledger } from '../delivery/delivery.ts'
import { newDeviceId } from '../identity.test-support.ts'
import { openDatabase, type DatabaseOptions } from './database.ts'
import { newPlace, type TestPlace } from './database.test-support.ts'
import { migrations } from './migrations/index.ts'
import { systemRandom } from '../random.ts'

let folder: string
let place: TestPlace
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tacit-test-'))
  place = await newPlace({ own: true })
})
afterAll(async () => {
  await place.drop()
  rmSync(folder, { recursive: true, force: true })
})

const openHere = (options: Pick<DatabaseOptions, 'migrations'> = {}) =>
  openDatabase({ path: join(folder, 'db.sqlite'), url: place.url, ...options })

const until11 = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < '0012'))
const conversation = ConversationId.parse(systemRandom.id())
const [alice, bob, silent] = [newDeviceId(), newDeviceId(), newDeviceId()]

test('a database from before it keeps its entries in their order, and knows where the newest of each device stands', async () => {
  const before = await openHere({ migrations: until11 })
  const entries = [alice, bob, alice, bob, bob].map((sender, at) => ({
    sender,
    seq: at + 1,
    hash: Buffer.alloc(32, at),
    bytes: Buffer.from([at]),
  }))
  const counters = new Map<unknown, number>()
  await before.write(async (tx) => {
    await sql`insert into log (conversation, epoch, head) values (${conversation}, 1, 5)`.execute(tx)
    for (const { sender, seq, hash, bytes } of entries) {
      const counter = (counters.get(sender) ?? 0) + 1
      counters.set(sender, counter)
      await sql`insert into entry (conversation, seq, epoch, kind, sender, client_seq, time, hash, bytes)
        values (${conversation}, ${seq}, 1, 'message', ${sender}, ${counter}, 7, ${hash}, ${bytes})`.execute(tx)
    }
    for (const device of [alice, bob, silent])
      await sql`insert into membership (conversation, device, account, from_seq, cursor, client_seq)
        values (${conversation}, ${device}, 'somebody', 0, 0, ${counters.get(device) ?? 0})`.execute(tx)
  })
  const rows = await before.kysely.selectFrom('entry').selectAll().orderBy('seq').execute()
  await before.close()

  const after = await openHere()
  expect(await after.kysely.selectFrom('entry').selectAll().orderBy('seq').execute()).toEqual(rows)
  const places = await after.kysely.selectFrom('membership').select(['device', 'last_seq']).execute()
  expect(new Map(places.map(({ device, last_seq }) => [device, last_seq]))).toEqual(
    new Map([
      [alice, 3],
      [bob, 5],
      [silent, 0],
    ]),
  )
  const repeat = { conversation, sender: bob, clientSeq: 2 }
  expect(await ledger.earlier(after.kysely, repeat)).toMatchObject({ seq: 4, epoch: 1 })
  const double = after.write((tx) => sql`insert into entry select * from entry where seq = 1`.execute(tx))
  await expect(double).rejects.toThrow(/unique/i)
  await after.close()
})
