/**
 * What several servers cost each other: `npm run bench:servers`. Doorbells through a real Redis, from one server to one, two and
 * four that listen; and what a server reads from PostgreSQL about once a second: always what was written down, and in doubt
 * where the logs reach that its devices follow. Feeds the capacity model of docs/scaling.md. Prints two tables and writes
 * bench/results/servers.json.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ConversationId, DeviceId } from '@tacit/contract'
import { openDatabase, openHotPath, readWritten, RedisBus, RedisLink, systemClock, systemRandom } from '@tacit/server'
import { startPostgres } from '@tacit/testbed/postgres-process'
import { startRedis } from '@tacit/testbed/redis-process'
import { familyMicroseconds } from './relay/process-cost.ts'

/** Doorbells of one measurement, and of one turn of the event loop: as many as a busy commit to the disk has conversations. */
const BELLS = 60_000
const AT_ONCE = 50

interface BellRow {
  readonly listening: number
  readonly perSecond: number
  /** Of this process, all servers in it, per doorbell. */
  readonly microseconds: number
}

interface ReadRow {
  readonly what: string
  readonly rows: number
  readonly milliseconds: number
  readonly serverMilliseconds: number
  readonly databaseMilliseconds: number
}

const newId = (): string => systemRandom.id()

async function ringFor(url: string, listening: number): Promise<BellRow> {
  const prefix = `bench:${newId()}:`
  const open = (): { bus: RedisBus; link: RedisLink } => {
    const link = new RedisLink({ url, prefix, onChange: () => undefined })
    const ignore = (): void => undefined
    return { link, bus: new RedisBus({ link, node: newId(), clock: systemClock, onFault: ignore, onDoubt: ignore }) }
  }
  const servers = Array.from({ length: listening + 1 }, open)
  const [ringing, ...others] = servers
  if (!ringing) throw new Error('somebody rings')
  const heard = others.map(() => 0)
  for (const [at, { bus }] of others.entries()) bus.listen('log', () => (heard[at] = (heard[at] ?? 0) + 1))
  const conversations = Array.from({ length: AT_ONCE }, () => ConversationId.parse(newId()))
  while (heard.some((count) => count === 0) || !ringing.link.isUp) await ring(ringing.bus, conversations)
  heard.fill(0)
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  for (let rung = 0; rung < BELLS; rung += AT_ONCE) await ring(ringing.bus, conversations)
  while (heard.some((count) => count < BELLS)) await new Promise((resolve) => setTimeout(resolve, 1))
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (performance.now() - began) / 1000
  for (const { link } of servers) link.close()
  return { listening, perSecond: Math.round(BELLS / seconds), microseconds: (user + system) / BELLS }
}

let head = 0

/** Doorbells of one turn. The next turn waits for Redis, or the heads of both would go as one. */
async function ring(bus: RedisBus, conversations: readonly ConversationId[]): Promise<void> {
  head += 1
  for (const conversation of conversations) bus.ring({ kind: 'log', conversation, head })
  await bus.sent()
  // Redis may not be there yet.
  await nextTurn()
}

async function readFor(): Promise<ReadRow[]> {
  const postgres = await startPostgres()
  const database = await openDatabase({ path: '', url: postgres.url('postgres') })
  if (database.kind !== 'postgres') throw new Error('expected PostgreSQL')
  const hot = openHotPath(database, { onBatch: () => undefined, onCursorBack: () => undefined, several: true })
  const pairs = Array.from({ length: 50_000 }, () => ({ conversation: ConversationId.parse(newId()), device: DeviceId.parse(newId()) }))
  for (let at = 0; at < pairs.length; at += 500) await database.write((tx) => addLogs(tx, pairs.slice(at, at + 500)))
  const measure = async (what: string, rows: number, work: () => Promise<unknown>): Promise<ReadRow> => {
    await work()
    const [began, own, all] = [performance.now(), process.cpuUsage(), familyMicroseconds(postgres.pid)]
    for (let time = 0; time < 5; time++) await work()
    const { user, system } = process.cpuUsage(own)
    const [milliseconds, databaseMilliseconds] = [(performance.now() - began) / 5, (familyMicroseconds(postgres.pid) - all) / 5000]
    return { what, rows, milliseconds, serverMilliseconds: (user + system) / 5000, databaseMilliseconds }
  }
  const rows = [await measure('what was written down', 0, () => readWritten(database.kysely, 1e15))]
  for (const count of [1000, 10_000, 50_000]) {
    const parts = Array.from({ length: Math.ceil(count / 10_000) }, (_, part) =>
      pairs.slice(part * 10_000, Math.min(count, (part + 1) * 10_000)),
    )
    rows.push(
      await measure('heads of the logs that are followed', count, async () => {
        for (const part of parts) await hot.delivery.positions(part)
      }),
    )
  }
  await database.close()
  await postgres.stop()
  return rows
}

type Writer = Parameters<Parameters<Awaited<ReturnType<typeof openDatabase>>['write']>[0]>[0]

async function addLogs(tx: Writer, pairs: readonly { conversation: ConversationId; device: DeviceId }[]): Promise<void> {
  const [account] = [newId() as never]
  await tx
    .insertInto('log')
    .values(pairs.map(({ conversation }) => ({ conversation, epoch: 0, head: 5 })))
    .execute()
  await tx
    .insertInto('membership')
    .values(pairs.map((pair) => ({ ...pair, account, from_seq: 0, to_seq: null, cursor: 5, client_seq: 0 })))
    .execute()
}

const redis = await startRedis()
const bells: BellRow[] = []
for (const listening of [1, 2, 4]) bells.push(await ringFor(redis.url, listening))
await redis.stop()
const reads = await readFor()

console.table(bells.map((row) => ({ ...row, microseconds: row.microseconds.toFixed(2) })))
console.table(
  reads.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeof value === 'number' ? Math.round(value * 10) / 10 : value])),
  ),
)
mkdirSync('bench/results', { recursive: true })
writeFileSync('bench/results/servers.json', `${JSON.stringify({ bells, reads }, null, 2)}\n`)
