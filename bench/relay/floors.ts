/**
 * What the disk and the database allow: rows of the size of a message, in the schema of the server and its durability, a
 * thousand in a transaction, with nothing around them. Run beside each benchmark, because a machine is not the same twice.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { Generator, round, seconds, type Database, type Ground, type RunningServer } from './harness.ts'
import type { Load, Result } from './talk.ts'

export interface Floor {
  readonly perSecond: number
  readonly microseconds: number
}

const BATCH = 1000
const TAIL = new Uint8Array(340)
const HASH = new Uint8Array(32)

/** Bare batched inserts. CPU of this process alone, so of PostgreSQL only the rate says something. */
export function insertFloor(database: Database, ground: Ground): Promise<Floor> {
  return database === 'sqlite' ? intoSqlite(join(ground.folder, 'tacit.sqlite')) : intoPostgres(ground.address ?? '')
}

/** A bare `ws` server with the same generator. */
export async function socketFloor(ground: Ground, outstanding: number): Promise<Floor> {
  const server = await ground.startServer('floor')
  const { report, microseconds } = await loaded(server, ground, { outstanding })
  server.stop()
  return { perSecond: Math.round(report.accepted / report.seconds), microseconds: round(microseconds / report.accepted) }
}

async function loaded(
  server: RunningServer,
  { people }: Ground,
  load: Pick<Load, 'outstanding'>,
): Promise<{ report: Result; microseconds: number }> {
  const generator = new Generator(server)
  const work = { kind: 'load', ...load, warmUp: 1, seconds: Math.min(4, seconds) } as const
  const { report, microseconds } = await generator.run(people.slice(0, 200), work)
  generator.stop()
  if (report.kind !== 'measured') throw new Error('nothing was measured')
  return { report: report.result, microseconds }
}

async function intoSqlite(file: string): Promise<Floor> {
  const sqlite = new DatabaseSync(file)
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'busy_timeout = 5000']) sqlite.exec(`PRAGMA ${pragma}`)
  const insert = sqlite.prepare(
    'INSERT INTO entry (conversation, seq, epoch, kind, sender, client_seq, time, hash, bytes) VALUES (?, ?, 1, ?, ?, ?, 0, ?, ?)',
  )
  const floor = await timed((rows) => {
    sqlite.exec('BEGIN IMMEDIATE')
    for (const { conversation, seq } of rows) insert.run(conversation, seq, 'message', conversation, seq, HASH, TAIL)
    sqlite.exec('COMMIT')
    return Promise.resolve()
  })
  sqlite.exec("DELETE FROM entry WHERE conversation LIKE 'floor-%'")
  sqlite.close()
  return floor
}

const INSERT = `INSERT INTO entry (conversation, seq, epoch, kind, sender, client_seq, "time", hash, bytes)
SELECT c, s, 1, 'message', c, s, 0, $3, $4 FROM unnest($1::text[], $2::bigint[]) AS w(c, s)`

async function intoPostgres(address: string): Promise<Floor> {
  const client = new Client(address)
  await client.connect()
  const floor = await timed(async (rows) => {
    const values = [rows.map(({ conversation }) => conversation), rows.map(({ seq }) => seq), Buffer.from(HASH), Buffer.from(TAIL)]
    await client.query({ name: 'floor', text: INSERT, values })
  })
  await client.query("DELETE FROM entry WHERE conversation LIKE 'floor-%'")
  await client.end()
  return floor
}

interface Row {
  readonly conversation: string
  readonly seq: number
}

async function timed(write: (rows: readonly Row[]) => Promise<void>): Promise<Floor> {
  const conversations = Array.from({ length: 100 }, () => `floor-${randomBytes(12).toString('base64url')}`)
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  let written = 0
  while (performance.now() - began < 2000) {
    const rows = Array.from({ length: BATCH }, (_, at) => ({
      conversation: conversations[at % conversations.length] ?? '',
      seq: Math.floor((written + at) / conversations.length) + 1,
    }))
    await write(rows)
    written += BATCH
  }
  const { user, system } = process.cpuUsage(cpu)
  return { perSecond: Math.round((written / (performance.now() - began)) * 1000), microseconds: round((user + system) / written) }
}
