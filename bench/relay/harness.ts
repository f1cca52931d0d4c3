/**
 * What the benchmarks of the server share: the processes, each on one core where `taskset` exists (server and database on the
 * first, generator on the second), the world they play in, what they cost, and where results go.
 * `--database sqlite` or `--database postgres` measures one of the two.
 */
import { fork, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { constants, cpus, setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startPostgres } from '@tacit/testbed/postgres-process'
import { cpuMicroseconds, familyMicroseconds, residentBytes } from './process-cost.ts'
import type { Assignment, Floor, Quantiles, Report, Work } from './talk.ts'
import { makeWorld, type BenchDevice, type WorldSize } from './world.ts'

/** What is measured, by its name in the tables. */
export type Contender = Database | Floor
export type Database = 'sqlite' | 'postgres'

const isFloor = (contender: Contender): contender is Floor => contender === 'floor' || contender === 'keeping floor'

const programs = {
  relay: new URL('./relay-server.ts', import.meta.url),
  floor: new URL('./floor-server.ts', import.meta.url),
  generator: new URL('./generator.ts', import.meta.url),
} as const

/** A bounded young generation costs no measurable CPU and halves what idle connections cost: garbage is not kept for later. */
const FLAGS = ['-C', 'tacit-source', '--max-semi-space-size=8']

/** Binds a process to a core. */
const PINNING = 'taskset'

export interface ServerOptions {
  /** With the limits of a public server; otherwise rate limits are lifted. */
  readonly limited?: boolean
}

export interface RunningServer {
  readonly url: string
  readonly contender: Contender
  /** CPU time of server and database so far, microseconds. */
  spent(): number
  /** Resident memory of the server, bytes. */
  resident(): number
  stop(): void
}

export interface Ground {
  readonly people: readonly BenchDevice[]
  readonly databases: readonly Database[]
  readonly folder: string
  /** Of PostgreSQL, where it is measured. */
  readonly address: string | undefined
  startServer(contender: Contender, options?: ServerOptions): Promise<RunningServer>
}

/** Seconds of each measurement. */
export const seconds = Number(process.env['BENCH_SECONDS'] ?? 8)

/** Makes the world in every database that is measured, runs `measure` in it, and takes it down. */
export async function onGround(world: WorldSize, measure: (ground: Ground) => Promise<void>): Promise<void> {
  const { values } = parseArgs({ options: { database: { type: 'string' } } })
  const databases = (['sqlite', 'postgres'] as const).filter((name) => values.database === undefined || values.database === name)
  const folder = mkdtempSync(join(tmpdir(), 'tacit-bench-'))
  const postgres = databases.includes('postgres') ? await startPostgres() : undefined
  try {
    if (postgres) pin(postgres.pid, 0)
    const people = await makeWorld({ folder, ...world })
    const address = postgres?.url('postgres')
    if (address !== undefined) copyWorld(folder, address)
    const startServer = async (contender: Contender, { limited = false }: ServerOptions = {}): Promise<RunningServer> => {
      const place = contender === 'postgres' ? [folder, address ?? ''] : [folder, '']
      const child = start(programs[isFloor(contender) ? 'floor' : 'relay'], 0, [...place, limited ? 'limited' : 'lifted'])
      const url = await heard(child)
      const pid = child.pid ?? 0
      const database = contender === 'postgres' ? (postgres?.pid ?? 0) : 0
      return {
        url,
        contender,
        spent: () => cpuMicroseconds(pid) + (database > 0 ? familyMicroseconds(database) : 0),
        resident: () => residentBytes(pid),
        stop: () => child.disconnect(),
      }
    }
    await measure({ people, databases, folder, address, startServer })
  } finally {
    await postgres?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A load generator of its own, connected to a server. */
export class Generator {
  readonly #child = start(programs.generator, 1)
  readonly #server: RunningServer

  /** `yielding`: it takes what the other generators leave of their core, as if it came from another machine. */
  constructor(server: RunningServer, { yielding = false }: { readonly yielding?: boolean } = {}) {
    this.#server = server
    if (yielding && this.#child.pid !== undefined) setPriority(this.#child.pid, constants.priority.PRIORITY_LOW)
  }

  /**
   * Runs some work; resolves with what it reports in the end, and what the server spent while it was measured, microseconds.
   * `began` is called when measuring begins.
   */
  run(devices: readonly BenchDevice[], work: Work, began = () => {}): Promise<{ report: Report; microseconds: number }> {
    const { url, contender } = this.#server
    const assignment: Assignment = { url, server: isFloor(contender) ? contender : 'relay', devices, work }
    let before = this.#server.spent()
    return new Promise((resolve, reject) => {
      this.#child.removeAllListeners('message').on('message', (report: Report) => {
        if (report.kind === 'measuring') {
          before = this.#server.spent()
          began()
        } else if (report.kind === 'failed') reject(new Error(report.why))
        else resolve({ report, microseconds: this.#server.spent() - before })
      })
      this.#child.send(assignment)
    })
  }

  stop(): void {
    this.#child.kill()
  }
}

/** Prints rows and writes them to bench/results. */
export function publish(name: string, tables: Record<string, readonly object[]>): void {
  for (const [title, rows] of Object.entries(tables)) {
    console.log(`\n${title}`)
    console.table(rows)
  }
  const results = join(import.meta.dirname, '..', 'results')
  mkdirSync(results, { recursive: true })
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version }
  const said = { measuredAt: new Date().toISOString(), machine, ...tables }
  writeFileSync(join(results, `${name}.json`), `${JSON.stringify(said, null, 2)}\n`)
}

export const round = (value: number): number => Number(value.toFixed(2))

/** As a table shows them, milliseconds. */
export const shown = ({ p50, p99, p999 }: Quantiles): string => `${p50} / ${p99} / ${p999}`

export const mib = (bytes: number): number => Math.round(bytes / 1024 / 1024)

export const pause = (time: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time * 1000))

/** The same people once more in PostgreSQL, by the operator's own command. */
function copyWorld(folder: string, address: string): void {
  const program = fileURLToPath(new URL('../../packages/server/src/admin/main.ts', import.meta.url))
  const env = { ...process.env, TACIT_DATA_DIR: folder, TACIT_DATABASE: address }
  const stdio = ['ignore', 'ignore', 'inherit'] as const
  const { status } = spawnSync(process.execPath, ['-C', 'tacit-source', program, 'migrate-database'], { env, stdio: [...stdio] })
  if (status !== 0) throw new Error('the people could not be copied')
}

/** A process of the benchmark, on the given core if there is more than one. */
function start(program: URL, core: number, parameters: readonly string[] = []): ChildProcess {
  const child = fork(fileURLToPath(program), parameters, { execArgv: FLAGS })
  if (cpus().length > 1 && child.pid !== undefined) pin(child.pid, core)
  return child
}

function heard(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    server.on('message', (message: { url: string }) => resolve(message.url))
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })
}

function pin(pid: number, core: number): void {
  const { status } = spawnSync(PINNING, ['-acp', String(core), String(pid)], { stdio: 'ignore' })
  if (status !== 0) process.stderr.write('taskset is not there: the processes share the cores\n')
}
