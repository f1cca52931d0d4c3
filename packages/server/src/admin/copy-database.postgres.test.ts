import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { member, openTown, secondDevice } from '../cast.test-support.ts'
import { createConversation, Device, messageBody } from '../gateway/device.test-support.ts'
import { settingsWith } from '../settings.ts'
import { newPlace, type TestPlace } from '../storage/database.test-support.ts'
import { openPostgres } from '../storage/postgres/postgres-database.ts'
import { migrateDatabase } from './migrate-database.ts'

let folder: string
let place: TestPlace
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tacit-admin-'))
  place = await newPlace({ own: true })
})
afterEach(async () => {
  await place.drop()
  rmSync(folder, { recursive: true, force: true })
})

const settings = () => settingsWith({ dataDir: folder, database: place.url })

/** Alice with two devices, Bob, and a conversation with more messages than a page has. */
async function lived() {
  const town = await openTown({ dataDir: folder, database: '' })
  const [alice, bob] = [await member(town, 'alice'), await member(town, 'bob')]
  await secondDevice(town, alice.person)
  const conversation = await createConversation(town, alice)
  const device = await Device.online(town, alice)
  await Promise.all(
    Array.from({ length: 700 }, (_, at) => device.expect('delivery.send', messageBody({ conversation, epoch: 0, clientSeq: at + 1 }))),
  )
  device.socket.terminate()
  await town.close()
  return { alice, bob, conversation }
}

describe('a SQLite installation that is copied into PostgreSQL', () => {
  test('goes on there: people are signed in, messages are in their places, and new rows get new numbers', async () => {
    const { alice, bob, conversation } = await lived()
    const tables = await migrateDatabase(settings())
    const rowsOf = (name: string) => tables.find((table) => table.name === name)?.rows
    expect([rowsOf('account'), rowsOf('device'), rowsOf('entry'), rowsOf('session')]).toEqual([2, 3, 700, 3])
    const town = await openTown({ dataDir: folder, database: place.url })
    expect((await town.request('/v1/me', { token: bob.token })).status).toBe(200)
    expect((await alice.person.signIn(town)).status).toBe(201)
    const device = await Device.online(town, alice, [{ conversation, seq: 650 }])
    await device.until(() => device.entries(conversation).length === 50)
    expect(await device.expect('delivery.send', messageBody({ conversation, epoch: 0, clientSeq: 701 }))).toMatchObject({ seq: 701 })
    await secondDevice(town, bob.person)
    device.socket.terminate()
    await town.close()
  })

  test('is refused when rows are there already, and nothing is changed', async () => {
    await lived()
    await migrateDatabase(settings())
    await expect(migrateDatabase(settings())).rejects.toThrow('The database is not empty: account has rows.')
  })

  test('is not copied at all when a row arrives otherwise than it left', async () => {
    await lived()
    const database = await openPostgres({ url: place.url })
    await database.write((tx) =>
      sql`create function bend() returns trigger language plpgsql as $$ begin new.bytes = new.bytes || '\\x00'; return new; end $$`.execute(
        tx,
      ),
    )
    await database.write((tx) =>
      sql`create trigger bend before insert on entry for each row when (new.seq = 555) execute function bend()`.execute(tx),
    )
    await expect(migrateDatabase(settings())).rejects.toThrow('The table entry did not arrive as it left: 700 rows, then 700.')
    expect(await database.kysely.selectFrom('account').selectAll().execute()).toEqual([])
    await database.close()
  })

  test('is not copied while a server uses it', async () => {
    const town = await openTown({ dataDir: folder, database: '' })
    await expect(migrateDatabase(settings())).rejects.toThrow('is used by another server')
    await town.close()
  })

  test('is copied by the operator’s command, which says what it did and ends with 0', async () => {
    await lived()
    const program = join(import.meta.dirname, 'main.ts')
    const env = { PATH: process.env['PATH'], TACIT_DATA_DIR: folder, TACIT_DATABASE: place.url }
    const said = execFileSync(process.execPath, ['-C', 'tacit-source', program, 'migrate-database'], { env, encoding: 'utf8' })
    expect(said).toMatch(/^entry +700 rows +sha256 [0-9a-f]{64}$/m)
    expect(said).toMatch(/Copied and compared: \d+ tables, \d+ rows/)
  })
})
