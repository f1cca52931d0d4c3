/**
 * A database for one test: a temporary SQLite file, or, in the run on PostgreSQL, a database of the run's own server with the
 * schema and no rows (tools/postgres/for-tests.ts). Making one takes half a second, so they are emptied and used again.
 */
import { StatementSync } from 'node:sqlite'
import type { TableMetadata } from 'kysely'
import { Client } from 'pg'
import { inject, vi } from 'vitest'
import { systemRandom } from '../random.ts'
import { openDatabase, type Database, type DatabaseOptions } from './database.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgres?: { readonly admin: string; readonly template: string }
  }
}

export interface TestPlace {
  /** Empty for SQLite. */
  readonly url: string
  drop(): Promise<void>
}

/** Where a server may keep its tables during one test. `own`: nobody had it before, and not even the schema is there. */
export async function newPlace({ own = false } = {}): Promise<TestPlace> {
  const provided = inject('postgres')
  if (!provided) return { url: '', drop: () => Promise.resolve() }
  const free = own ? [] : await ask(provided.admin, TAKE)
  const name = free[0]?.['name'] ?? `test_${Buffer.from(systemRandom.bytes(8)).toString('hex')}`
  if (free.length === 0) await ask(provided.admin, `CREATE DATABASE ${name} TEMPLATE ${own ? 'template0' : provided.template}`)
  const url = new URL(provided.admin)
  url.pathname = name
  const drop = async () => {
    if (own) return void (await ask(provided.admin, `DROP DATABASE ${name} WITH (FORCE)`))
    await ask(url.href, EMPTY)
    await ask(provided.admin, `INSERT INTO free_place VALUES ('${name}')`)
  }
  return { url: url.href, drop }
}

const TAKE = 'DELETE FROM free_place WHERE name = (SELECT name FROM free_place LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING name'

/** A few rows are deleted faster than tables are truncated. */
const EMPTY = `DO $$ DECLARE t text; BEGIN
  SET session_replication_role = replica;
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'kysely%' LOOP EXECUTE format('DELETE FROM %I', t); END LOOP;
END $$`

/** An open database with the schema. */
export async function openTestDatabase(options: Pick<DatabaseOptions, 'acceptDataLoss'> = {}): Promise<Database> {
  const place = await newPlace()
  const database = await openDatabase({ path: ':memory:', url: place.url, ...options })
  const close = database.close.bind(database)
  database.close = async () => {
    await close()
    await place.drop()
  }
  return database
}

/** The text of every statement that runs meanwhile in this process, on either database. */
export async function statementsDuring<T>(work: () => Promise<T>): Promise<{ result: T; statements: string[] }> {
  const onSqlite = (['all', 'run'] as const).map((how) => vi.spyOn(StatementSync.prototype, how))
  const onServer = vi.spyOn(Client.prototype, 'query')
  try {
    const result = await work()
    const texts = onSqlite.flatMap(({ mock }) => mock.contexts.map((one: unknown) => (one instanceof StatementSync ? one.sourceSQL : '')))
    return { result, statements: [...texts, ...onServer.mock.calls.map(([text]: readonly unknown[]) => String(text))] }
  } finally {
    for (const spy of [...onSqlite, onServer]) spy.mockRestore()
  }
}

async function ask(url: string, statement: string): Promise<Record<string, string>[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, string>>(statement)).rows
  } finally {
    await client.end()
  }
}

/** Tables of the migration runner hold no row about anybody; those behind SQLite's view `entry` hold what it shows. */
const BEHIND_TABLES = /^(kysely_|sqlite_|entry_(row|place|placed)$)/

/** Every table in which there may be something about somebody. */
export async function tablesOfSchema(): Promise<TableMetadata[]> {
  const database = await openTestDatabase()
  const tables = await database.kysely.introspection.getTables()
  await database.close()
  return tables.filter(({ name }) => !BEHIND_TABLES.test(name))
}
