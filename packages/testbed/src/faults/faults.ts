/** Runs rows of the fault table and prints each as it ends. */
import type { Figure, Outcome, Row } from './row.ts'
import { NotOpened } from './scene.ts'
import { kill } from './rows/f01-kill.ts'
import { points } from './rows/f02-points.ts'
import { refusesToStart } from './rows/f04-refuses-to-start.ts'
import { descriptors } from './rows/f35-descriptors.ts'
import { drain } from './rows/f03-drain.ts'
import { halfOpen } from './rows/f18-half-open.ts'
import { roughRoad } from './rows/f19-rough-road.ts'
import { slowReaders } from './rows/f20-slow-readers.ts'
import { damagedStore, restoredSnapshot } from './rows/f22-client-store.ts'
import { herd } from './rows/f26-herd.ts'
import { clockJumps } from './rows/f27-clock.ts'
import { commitRace } from './rows/f38-commit-race.ts'
import { nodeApart, nodeKills, redisDrops, redisGone, redisRestarts } from './rows/f11-cluster.ts'
import { fullDisk } from './rows/f31-full-disk.ts'
import { behind } from './rows/f07-behind.ts'
import { heapPressure, stall } from './rows/f36-pressure.ts'
import { collisions, databaseKill, failover, lostAnswers, slowDatabase } from './rows/f05-postgres.ts'

const table: readonly Row[] = [
  kill,
  points,
  databaseKill,
  failover,
  behind,
  slowDatabase,
  lostAnswers,
  drain,
  halfOpen,
  roughRoad,
  slowReaders,
  clockJumps,
  herd,
  fullDisk,
  nodeKills,
  redisGone,
  redisRestarts,
  redisDrops,
  damagedStore,
  restoredSnapshot,
  collisions,
  refusesToStart,
  descriptors,
  heapPressure,
  stall,
  nodeApart,
  commitRace,
]

export interface FaultsRequest {
  readonly version: 'short' | 'long'
  /** Ids of rows; none means all. */
  readonly only?: readonly string[]
  /** Injections of each row, instead of what the version says. */
  readonly times?: number
}

export interface RowSummary {
  readonly id: string
  readonly name: string
  readonly injections: number
  readonly kills: number
  readonly acknowledged: number
  readonly violations: number
  /** What the first of them are. */
  readonly says: readonly string[]
  readonly seconds: number
  readonly figures: readonly Figure[]
}

/** Rows that may share the machine: as many at once. */
const AT_ONCE = 3

/** Those first that want the machine to themselves, one after the other; then the others, a few at a time. */
export async function runFaults({ version, only = [], times }: FaultsRequest): Promise<{ readonly rows: readonly RowSummary[] }> {
  const wanted = table.filter(({ id }) => only.length === 0 || only.includes(id))
  const rows = new Map<string, RowSummary>()
  const play = async (row: Row): Promise<void> => void rows.set(row.id, await playRow(row, times ?? row[version]))
  for (const row of wanted) if (row.alone) await play(row)
  const others = wanted.filter(({ alone }) => !alone).values()
  const next = async (): Promise<void> => {
    for (const row of others) await play(row)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, next))
  return { rows: wanted.flatMap(({ id }) => rows.get(id) ?? []) }
}

async function playRow(row: Row, count: number): Promise<RowSummary> {
  const began = performance.now()
  const outcome = await row
    .run(count)
    .catch((error: unknown) => {
      if (!(error instanceof NotOpened)) throw error
      console.log(`${row.id} is played again: ${error.message}`)
      return row.run(count)
    })
    .catch(asOutcome)
  const seconds = (performance.now() - began) / 1000
  const { injections, kills = 0, acknowledged, violations, figures } = outcome
  console.log(line(row, outcome, seconds))
  const says = violations.slice(0, 5).map(({ id, says: what }) => `${id}: ${what}`)
  for (const one of says) console.log(`      ${one}`)
  return { id: row.id, name: row.name, injections, kills, acknowledged, violations: violations.length, says, seconds, figures }
}

/** A row that cannot be played to its end proves nothing. */
const asOutcome = (error: unknown): Outcome => ({
  injections: 0,
  acknowledged: 0,
  violations: [{ id: 'row', says: error instanceof Error ? (error.stack ?? error.message) : String(error) }],
  figures: [],
})

function line({ id, name }: Row, { injections, acknowledged, violations, figures }: Outcome, seconds: number): string {
  const measured = figures.map(({ name: what, value, unit, limit }) => {
    const judged = limit === undefined ? '' : value <= limit ? ` (<= ${limit})` : ` (MISSED ${limit})`
    return `${what} ${value} ${unit}${judged}`
  })
  const counts = `${injections} times, ${acknowledged} acknowledged, ${violations.length} violations, ${seconds.toFixed(1)} s`
  return `${id} ${name}: ${[counts, ...measured].join('; ')}`
}
