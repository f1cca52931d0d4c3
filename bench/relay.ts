/**
 * What carrying a message costs: `npm run bench:relay`. The real server on SQLite with synchronous=FULL and on
 * PostgreSQL with synchronous_commit=on, devices in pairs, 300 bytes of sealed payload, durable before it is acknowledged,
 * everything delivered to both devices of a pair; beside a bare `ws` echo in the same run. Server and generator are processes of their own, each on one core where `taskset` exists.
 * Prints a table and writes bench/results/relay.json. CPU time is the steadiest figure; rates depend on what else runs.
 */
import { fork, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPostgres } from '@tacit/testbed/postgres-process'
import { cpuMicroseconds, familyMicroseconds, residentBytes } from './relay/process-cost.ts'
import type { Assignment, LoadResult, Report, Work } from './relay/talk.ts'
import { makeWorld, type BenchDevice } from './relay/world.ts'

/** What is measured, by its name in the tables. */
type Contender = 'sqlite' | 'postgres' | 'echo'

interface LoadRow {
  readonly server: Contender
  readonly workload: string
  readonly devices: number
  readonly perSecond: number
  readonly serverMicroseconds: number
  readonly generatorMicroseconds: number
  readonly deliveredPerSecond: number
  readonly acceptance: LoadResult['acceptance']
  readonly delivery: LoadResult['delivery']
}

interface IdleRow {
  readonly server: Contender
  readonly connections: number
  /** KiB per connection over the server without any. */
  readonly kib: number
}

const programs = {
  relay: new URL('./relay/relay-server.ts', import.meta.url),
  echo: new URL('./relay/echo-server.ts', import.meta.url),
  generator: new URL('./relay/generator.ts', import.meta.url),
} as const

/** A bounded young generation costs no measurable CPU and halves what idle connections cost: garbage is not kept for later. */
const FLAGS = ['-C', 'tacit-source', '--max-semi-space-size=8']

/** Binds a process to a core. */
const PINNING = 'taskset'

const seconds = Number(process.env['BENCH_SECONDS'] ?? 8)
const idleSteps = (process.env['BENCH_IDLE'] ?? '1000,10000').split(',').map(Number)
const DEVICES = 200

const workloads: readonly { name: string; devices: number; work: Work }[] = [
  { name: 'one at a time', devices: DEVICES, work: { kind: 'load', outstanding: 1, warmUp: 2, seconds } },
  { name: 'pipelined, 16 under way', devices: DEVICES, work: { kind: 'load', outstanding: 16, warmUp: 2, seconds } },
  { name: '500 a second', devices: DEVICES, work: { kind: 'load', outstanding: 0, rate: 500, warmUp: 2, seconds } },
  { name: '2000 a second', devices: DEVICES, work: { kind: 'load', outstanding: 0, rate: 2000, warmUp: 2, seconds } },
]

const folder = mkdtempSync(join(tmpdir(), 'tacit-bench-'))
const postgres = await startPostgres()
try {
  pin(postgres.pid, 0)
  const people = await makeWorld({ folder, count: Math.max(DEVICES * workloads.length, ...idleSteps) })
  copyWorld()
  const loads: LoadRow[] = []
  const idles: IdleRow[] = []
  for (const server of ['sqlite', 'postgres', 'echo'] as const) {
    loads.push(...(await measureLoads(server, people)))
    idles.push(...(await measureIdle(server, people)))
  }
  print(loads, idles)
  save({ loads, idles })
} finally {
  await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
}
process.exit(0)

/** The same people once more in PostgreSQL, by the operator's own command. */
function copyWorld(): void {
  const program = fileURLToPath(new URL('../packages/server/src/admin/main.ts', import.meta.url))
  const env = { ...process.env, TACIT_DATA_DIR: folder, TACIT_DATABASE: postgres.url('postgres') }
  const { status } = spawnSync(process.execPath, ['-C', 'tacit-source', program, 'migrate-database'], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) throw new Error('the people could not be copied')
}

/** Server and database together. */
function spent(server: Contender, pid: number): number {
  return cpuMicroseconds(pid) + (server === 'postgres' ? familyMicroseconds(postgres.pid) : 0)
}

function kindOf(server: Contender): Assignment['server'] {
  return server === 'echo' ? 'echo' : 'relay'
}

async function measureLoads(server: Contender, people: readonly BenchDevice[]): Promise<LoadRow[]> {
  const rows: LoadRow[] = []
  const running = await startServer(server)
  for (const [at, { name, devices, work }] of workloads.entries()) {
    const generator = start(programs.generator, 1)
    // Everybody starts with an empty log and counters at zero.
    const own = people.slice(at * devices, (at + 1) * devices)
    const assignment = { server: kindOf(server), url: running.url, devices: own, work }
    const { result, microseconds } = await measure(generator, assignment, () => spent(server, running.pid))
    generator.kill()
    rows.push({
      server,
      workload: name,
      devices,
      perSecond: Math.round(result.accepted / result.seconds),
      serverMicroseconds: round(microseconds / result.accepted),
      generatorMicroseconds: round(result.generatorMicroseconds / result.accepted),
      deliveredPerSecond: Math.round(result.delivered / result.seconds),
      acceptance: result.acceptance,
      delivery: result.delivery,
    })
  }
  running.stop()
  return rows
}

async function measure(
  generator: ChildProcess,
  assignment: Assignment,
  cpu: () => number,
): Promise<{ result: LoadResult; microseconds: number }> {
  let before = 0
  return new Promise((resolve, reject) => {
    generator.on('message', (report: Report) => {
      if (report.kind === 'measuring') before = cpu()
      if (report.kind === 'measured') resolve({ result: report.result, microseconds: cpu() - before })
      if (report.kind === 'failed') reject(new Error(report.why))
    })
    generator.send(assignment)
  })
}

async function measureIdle(server: Contender, people: readonly BenchDevice[]): Promise<IdleRow[]> {
  const running = await startServer(server)
  const generator = start(programs.generator, 1)
  await pause(2)
  const base = residentBytes(running.pid)
  const rows: IdleRow[] = []
  for (const connections of idleSteps) {
    await connect(generator, { server: kindOf(server), url: running.url, devices: people, work: { kind: 'idle', devices: connections } })
    await pause(5)
    rows.push({ server, connections, kib: round((residentBytes(running.pid) - base) / 1024 / connections) })
  }
  generator.kill()
  running.stop()
  return rows
}

function connect(generator: ChildProcess, assignment: Assignment): Promise<void> {
  return new Promise((resolve, reject) => {
    generator.on('message', (report: Report) => {
      if (report.kind === 'connected') resolve()
      if (report.kind === 'failed') reject(new Error(report.why))
    })
    generator.send(assignment)
  })
}

async function startServer(server: Contender): Promise<{ url: string; pid: number; stop: () => void }> {
  const child = start(programs[kindOf(server)], 0, server === 'postgres' ? [folder, postgres.url('postgres')] : [folder])
  const url = await new Promise<string>((resolve, reject) => {
    child.on('message', (message: { url: string }) => resolve(message.url))
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })
  return { url, pid: child.pid ?? 0, stop: () => child.disconnect() }
}

/** A process of the benchmark, on the given core if there is more than one. */
function start(program: URL, core: number, parameters: readonly string[] = []): ChildProcess {
  const child = fork(fileURLToPath(program), parameters, { execArgv: FLAGS })
  if (cpus().length > 1 && child.pid !== undefined) pin(child.pid, core)
  return child
}

function pin(pid: number, core: number): void {
  const { status } = spawnSync(PINNING, ['-acp', String(core), String(pid)], { stdio: 'ignore' })
  if (status !== 0) process.stderr.write('taskset is not there: the processes share the cores\n')
}

function print(loads: readonly LoadRow[], idles: readonly IdleRow[]): void {
  console.table(
    loads.map((row) => ({
      server: row.server,
      workload: row.workload,
      'accepted/s': row.perSecond,
      'server µs': row.serverMicroseconds,
      'generator µs': row.generatorMicroseconds,
      'delivered/s': row.deliveredPerSecond,
      'accept p50/p99 ms': `${row.acceptance.p50} / ${row.acceptance.p99}`,
      'deliver p50/p99 ms': row.server !== 'echo' ? `${row.delivery.p50} / ${row.delivery.p99}` : '',
    })),
  )
  console.table(idles.map((row) => ({ server: row.server, 'idle connections': row.connections, 'KiB each': row.kib })))
}

function save(rows: { loads: readonly LoadRow[]; idles: readonly IdleRow[] }): void {
  const results = join(import.meta.dirname, 'results')
  mkdirSync(results, { recursive: true })
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version }
  writeFileSync(join(results, 'relay.json'), `${JSON.stringify({ measuredAt: new Date().toISOString(), machine, ...rows }, null, 2)}\n`)
}

function round(value: number): number {
  return Number(value.toFixed(2))
}

function pause(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time * 1000))
}
