/** Many seeds on all processors: each child process takes its share, and what they found is put together. */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { quantile } from '../faults/row.ts'
import { replacingProcess, type Replacement } from '../hooks/replacements.ts'
import type { Crash } from './faults.ts'
import type { Outcome } from './run.ts'
import type { Legibility } from './verdict.ts'

export interface SeedsOptions {
  /** The first seed. */
  readonly from: number
  readonly count: number
  /** Deeds and misfortunes of each run. */
  readonly steps?: number
  /** The server lies to devices as well. */
  readonly mallory?: boolean
  /** Devices come and go. */
  readonly churn?: boolean
  /** Only these kinds of faults (faults.ts). */
  readonly only?: readonly string[]
  /** Instead of `count` seeds: the first seed once for each of these, with no other misfortune. */
  readonly crashes?: readonly Crash[]
  /** Child processes; as many as there are processors unless given. */
  readonly workers?: number
  /** What stands elsewhere in the product than in its sources, e.g. for a mutant. */
  readonly replacements?: readonly Replacement[]
  /** The story of every run goes to standard error. */
  readonly verbose?: boolean
  /** The file for the history of the last run; for one seed. */
  readonly history?: string
  /** Hears of each seed when it is done. */
  readonly onSeed?: (ran: Ran) => void
}

/** What came of one seed, with the processor time that it took, milliseconds. */
export type Ran = Omit<Outcome, 'history'> & { readonly cpuMs: number }

export interface SeedsReport {
  /** In their order. */
  readonly ran: readonly Ran[]
  readonly accepted: number
  readonly kills: number
  readonly violations: number
  readonly legibility: Legibility
  readonly healed: Healed
  /** How often each kind of fault happened. */
  readonly faults: Readonly<Record<string, number>>
  readonly seconds: number
}

/** What one child process has to do. */
export interface Assignment {
  readonly runs: readonly { readonly seed: number; readonly crash?: Crash }[]
  readonly steps: number
  readonly mallory: boolean
  readonly churn: boolean
  readonly only: readonly string[]
  readonly verbose: boolean
  readonly history?: string
}

/** Stretching a password takes half a second on purpose; a simulated world has some sign-ups and nobody who guesses. */
export const CHEAP_PASSWORDS: readonly Replacement[] = ['registrationResponse', 'loginResponse'].map((answer) => ({
  file: 'packages/sdk/src/account/password.ts',
  anchor: `, ${answer}, password })`,
  text: `, ${answer}, password, keyStretching: { 'argon2id-custom': { iterations: 1, memory: 8, parallelism: 1 } } })`,
}))

export const USUAL_STEPS = 50

/** D-11: milliseconds from the last fault's end until nothing waited any more, over all seeds. */
export interface Healed {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** D-11 for 99 seeds in 100, milliseconds; the bound of each single one is in `run.ts`. */
const MOSTLY_HEALED_WITHIN = 10_000

/** Fewer seeds say nothing of one in a hundred. */
const SEEDS_FOR_P99 = 100

/** Runs of one process: the engines of worlds that are over stay in its memory, some 25 MB each. */
const RUNS_EACH = 50

/** Rejects when a child process ends before it has run all of its seeds. */
export async function runSeeds(options: SeedsOptions): Promise<SeedsReport> {
  const began = performance.now()
  const {
    from,
    count,
    steps = USUAL_STEPS,
    workers = availableParallelism(),
    mallory = false,
    churn = false,
    only = [],
    verbose = false,
    history,
  } = options
  const runs = options.crashes?.map((crash) => ({ seed: from, crash })) ?? Array.from({ length: count }, (_, at) => ({ seed: from + at }))
  const shares = Math.max(1, Math.min(workers, runs.length))
  const common = { steps, mallory, churn, only, verbose, ...(history !== undefined && { history }) }
  const runShare = async (share: Assignment['runs']): Promise<Ran[]> => {
    const ran: Ran[] = []
    while (ran.length < share.length)
      ran.push(...(await runChild({ ...common, runs: share.slice(ran.length, ran.length + RUNS_EACH) }, options)))
    return ran
  }
  const shared = await Promise.all(Array.from({ length: shares }, (_, share) => runShare(runs.filter((_run, at) => at % shares === share))))
  const ran = shared.flat().toSorted((one, other) => one.seed - other.seed || (one.crash?.operation ?? 0) - (other.crash?.operation ?? 0))
  return { ...summed(ran), ran, seconds: (performance.now() - began) / 1000 }
}

function summed(ran: readonly Ran[]): Omit<SeedsReport, 'ran' | 'seconds'> {
  const faults: Record<string, number> = {}
  for (const one of ran) for (const [kind, times] of Object.entries(one.faults)) faults[kind] = (faults[kind] ?? 0) + times
  const sum = (of: (one: Ran) => number): number => ran.reduce((total, one) => total + of(one), 0)
  const legibility = {
    read: sum((one) => one.legibility.read),
    undecryptable: sum((one) => one.legibility.undecryptable),
    excused: sum((one) => one.legibility.excused),
  }
  const times = ran.map(({ healedWithin }) => healedWithin)
  const healed = { p50: quantile(times, 0.5), p99: quantile(times, 0.99), max: quantile(times, 1) }
  const isSlow = ran.length >= SEEDS_FOR_P99 && healed.p99 > MOSTLY_HEALED_WITHIN
  return {
    legibility,
    healed,
    accepted: sum((one) => one.accepted),
    kills: sum((one) => one.kills),
    violations: sum((one) => one.findings.length) + (isSlow ? 1 : 0),
    faults,
  }
}

async function runChild(assignment: Assignment, { replacements = [], onSeed }: SeedsOptions): Promise<Ran[]> {
  const { environment, nodeArguments } = replacingProcess([...CHEAP_PASSWORDS, ...replacements])
  const program = fileURLToPath(new URL('child.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    [...nodeArguments, '--max-semi-space-size=32', '-C', 'tacit-source', program, JSON.stringify(assignment)],
    {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = new Promise<number | null>((resolve, reject) => child.once('exit', resolve).once('error', reject))
  const ran: Ran[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const one: Ran = JSON.parse(line)
    ran.push(one)
    onSeed?.(one)
  }
  const code = await ended
  if (ran.length === assignment.runs.length) return ran
  const lost = assignment.runs[ran.length]
  throw new Error(`the simulation ended with ${code} after ${ran.length} of ${assignment.runs.length} runs, in ${JSON.stringify(lost)}`)
}

/** One seed again and again, without any other misfortune: a program ends at each operation of its disk, one after the other. */
export async function runEveryCrash(
  options: Omit<SeedsOptions, 'count' | 'crashes'> & Pick<Crash, 'machine' | 'power'>,
): Promise<SeedsReport> {
  const { machine, power, onSeed: _, ...rest } = options
  const none = await runSeeds({ ...rest, count: 1, crashes: [{ machine, operation: 0, power }] })
  const operations = none.ran[0]?.operations[machine] ?? 0
  const crashes = Array.from({ length: operations }, (_crash, at) => ({ machine, operation: at + 1, power }))
  return runSeeds({ ...options, count: 1, crashes })
}
