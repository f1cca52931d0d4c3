/** Many runs of many rows on all processors: each child process takes its share. */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { replacingProcess, type Replacement } from '../hooks/replacements.ts'
import { CHEAP_PASSWORDS } from '../sim/seeds.ts'
import type { Outcome } from './row.ts'

/** simulated: in one process, in virtual time. real: HTTP and WebSockets. */
export type Transport = 'simulated' | 'real'

export interface Run {
  readonly id: string
  readonly seed: number
}

/** A child process ends after so many: what the worlds of all its runs have left behind takes room. */
const RUNS_OF_A_CHILD = 150

/** What one child process has to do. */
export interface Assignment {
  readonly transport: Transport
  readonly runs: readonly Run[]
}

export interface Played extends Run {
  readonly transport: Transport
  readonly outcome: Outcome
  /** Processor time, milliseconds. */
  readonly cpuMs: number
}

export interface RunsOptions {
  readonly ids: readonly string[]
  /** The first and the last seed. */
  readonly seeds: readonly [number, number]
  readonly transport: Transport
  /** What stands elsewhere in the product than in its sources: a product that is broken on purpose. */
  readonly replacements?: readonly Replacement[]
  readonly workers?: number
  /** Hears of each run when it is done. */
  readonly onRun?: (played: Played) => void
}

/** Rejects when a child process ends before it has played all of its runs. */
export async function playAll({
  ids,
  seeds,
  transport,
  replacements = [],
  workers = availableParallelism(),
  onRun,
}: RunsOptions): Promise<Played[]> {
  const [from, to] = seeds
  const all = ids.flatMap((id) => Array.from({ length: to - from + 1 }, (_, at): Run => ({ id, seed: from + at })))
  const shares = Math.max(1, Math.min(workers, all.length))
  const left = chunksOf(all, Math.min(RUNS_OF_A_CHILD, Math.ceil(all.length / shares)))
  const played: Played[] = []
  const worker = async (): Promise<void> => {
    for (let runs = left.shift(); runs; runs = left.shift())
      played.push(...(await runChild({ assignment: { transport, runs }, replacements, onRun })))
  }
  await Promise.all(Array.from({ length: shares }, worker))
  return played
}

const chunksOf = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / Math.max(1, size)) }, (_, at) => items.slice(at * size, (at + 1) * size))

async function runChild(made: {
  assignment: Assignment
  replacements: readonly Replacement[]
  onRun: RunsOptions['onRun']
}): Promise<Played[]> {
  const { assignment, replacements, onRun } = made
  const { environment, nodeArguments } = replacingProcess([...CHEAP_PASSWORDS, ...replacements])
  const program = fileURLToPath(new URL('child.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    [...nodeArguments, '--max-semi-space-size=32', '-C', 'tacit-source', program, JSON.stringify(assignment)],
    { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const ended = new Promise<number | null>((resolve, reject) => child.once('exit', resolve).once('error', reject))
  const played: Played[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const one: Played = JSON.parse(line)
    played.push(one)
    onRun?.(one)
  }
  const code = await ended
  if (played.length === assignment.runs.length) return played
  const lost = assignment.runs[played.length]
  throw new Error(`the attacks ended with ${code} after ${played.length} of ${assignment.runs.length} runs, in ${JSON.stringify(lost)}`)
}
