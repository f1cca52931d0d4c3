import { sql } from 'kysely'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newPlace, type TestPlace } from '../database.test-support.ts'
import { openPostgres } from './postgres-database.ts'
import { postgresRefusal } from './postgres-faults.ts'

let place: TestPlace
beforeEach(async () => {
  place = await newPlace({ own: true })
})
afterEach(() => place.drop())

/** Changes what the server does for connections of this database from now on. */
async function configure(setting: string): Promise<void> {
  const client = new Client({ connectionString: place.url })
  await client.connect()
  await client.query(`ALTER DATABASE ${new URL(place.url).pathname.slice(1)} SET ${setting}`)
  await client.end()
}

describe('a PostgreSQL that would lose what it acknowledged', () => {
  test.each(['off', 'local', 'remote_write'])('with synchronous_commit = %s is refused in words', async (value) => {
    await configure(`synchronous_commit = ${value}`)
    await expect(openPostgres({ url: place.url })).rejects.toThrow(/synchronous_commit = .*; with it accepted messages could be lost/)
  })

  test('is taken when the operator accepts the loss', async () => {
    await configure('synchronous_commit = off')
    const database = await openPostgres({ url: place.url, acceptDataLoss: true })
    expect(await database.healthy()).toBe(true)
    await database.close()
  })

  test('is noticed by every connection that is opened later', async () => {
    const database = await openPostgres({ url: place.url })
    await configure('synchronous_commit = off')
    await expect(database.write((tx) => sql`select 1`.execute(tx))).rejects.toThrow('accepted messages could be lost')
    await database.close()
  })
})

describe('transactions that run at once', () => {
  test('that bring each other to a standstill are run again, and both are done', async () => {
    const database = await openPostgres({ url: place.url })
    await database.write((tx) => sql`create table pair (id text primary key, n integer)`.execute(tx))
    await database.write((tx) => sql`insert into pair values ('a', 0), ('b', 0)`.execute(tx))
    const touched = Promise.withResolvers<void>()
    let first = 0
    let runs = 0
    const both = ([one, other]: readonly [string, string]) =>
      database.write(async (tx) => {
        runs += 1
        // Which of them gets its first row back sooner is a matter of chance: what is run again leaves it to the other.
        if (runs > 2) await Promise.race(works)
        await sql`update pair set n = n + 1 where id = ${one}`.execute(tx)
        first += 1
        if (first === 2) touched.resolve()
        await touched.promise
        await sql`update pair set n = n + 1 where id = ${other}`.execute(tx)
      })
    const works: readonly Promise<void>[] = [both(['a', 'b']), both(['b', 'a'])]
    await Promise.all(works)
    const { rows } = await sql<{ n: number }>`select n from pair`.execute(database.kysely)
    expect({ rows, runs }).toEqual({ rows: [{ n: 2 }, { n: 2 }], runs: 3 })
    await database.close()
  })
})

test('a connection that ends between two statements of a transaction ends that transaction, and not the process', async () => {
  const database = await openPostgres({ url: place.url })
  const admin = new Client({ connectionString: place.url })
  await admin.connect()
  const pidOf = sql<{ pid: number }>`select pg_backend_pid() as pid`
  const work = database.write(async (tx) => {
    const pid = (await pidOf.execute(tx)).rows[0]?.pid
    await admin.query('SELECT pg_terminate_backend($1, 5000)', [pid])
    // The word of it comes by its own connection.
    for (let turn = 0; turn < 20; turn++) await admin.query('SELECT 1')
    await pidOf.execute(tx)
  })
  await expect(work).rejects.toThrow(/connection/i)
  expect(await database.healthy()).toBe(true)
  await admin.end()
  await database.close()
})

describe('is worth another try, and nobody did anything wrong', () => {
  const unavailable = expect.objectContaining({ failure: 'unavailable' })

  test('when the address leads to a standby, which only reads until it takes over', async () => {
    const database = await openPostgres({ url: place.url })
    const work = database.write(async (tx) => {
      await sql`set transaction read only`.execute(tx)
      await sql`update kysely_migration_lock set is_locked = is_locked`.execute(tx)
    })
    expect(await work.then(() => 'done', postgresRefusal)).toEqual(unavailable)
    await database.close()
  })

  test.each(['ECONNRESET', 'EPIPE', 'ERR_STREAM_DESTROYED', 'ERR_SOCKET_CLOSED', '25P03', '57P01'])(
    'when the connection ended with %s',
    (code) => {
      expect(postgresRefusal(Object.assign(new Error('write'), { code }))).toEqual(unavailable)
    },
  )
})

test('of servers that start together one brings the schema up to date, and the others wait for it', async () => {
  const empty = await newPlace({ own: true })
  const databases = await Promise.all([1, 2, 3].map(() => openPostgres({ url: empty.url })))
  for (const database of databases) {
    expect(await database.kysely.selectFrom('account').selectAll().execute()).toEqual([])
    await database.close()
  }
  await empty.drop()
})

test('an address where nobody answers is told in words', async () => {
  const opening = openPostgres({ url: 'postgres:///tacit?host=/nowhere&user=tacit' })
  await expect(opening).rejects.toThrow('The database that TACIT_DATABASE names cannot be used.')
})

test('integers come back as numbers and bytes as plain arrays, as from SQLite', async () => {
  const database = await openPostgres({ url: place.url })
  const { rows } = await sql<{ n: number; bytes: Uint8Array }>`select 5::bigint as n, ${Uint8Array.of(0, 255)}::bytea as bytes`.execute(
    database.kysely,
  )
  expect(rows).toStrictEqual([{ n: 5, bytes: Uint8Array.of(0, 255) }])
  await expect(sql`select 9007199254740993 as n`.execute(database.kysely)).rejects.toThrow('too large')
  await database.close()
})
