/**
 * `npm run mallory -- [--seeds A..B] [--real A..B] [--only M-08,M-09] [--workers W] [--json FILE] [--broken]`: attacks of a malicious server on real
 * devices, each by seeds in the simulation and some over real HTTP and WebSockets. Prints a table; exit 0 only when every run of
 * every row came out as its verdict promises. `--broken`: with the product broken for each row (breaks.ts), which then must fail.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { breaks } from './breaks.ts'
import { attacks } from './catalogue.ts'
import { isAsPromised, type Row } from './row.ts'
import { playAll, type Played } from './runs.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1..50' },
    real: { type: 'string', default: '1..1' },
    only: { type: 'string', default: '' },
    broken: { type: 'boolean', default: false },
    workers: { type: 'string' },
    json: { type: 'string' },
  },
})

/** Seeds of a row with the product broken for it; one of them has to fail. */
const BROKEN_SEEDS = [1, 12] as const

const began = performance.now()
const only = values.only.split(',').filter((id) => id !== '')
const rows = attacks.filter(({ id }) => only.length === 0 || only.some((wanted) => id.startsWith(wanted)))
const ids = rows.map(({ id }) => id)
if (values.broken) process.exit((await allFail()) ? 0 : 1)
const common = { ids, ...(values.workers !== undefined && { workers: Number(values.workers) }), onRun: tell }
const played = [
  ...(await playAll({ ...common, transport: 'simulated', seeds: rangeOf(values.seeds) })),
  ...(await playAll({ ...common, transport: 'real', seeds: rangeOf(values.real) })),
]
const report = rows.map((row) =>
  summaryOf(
    row,
    played.filter(({ id }) => id === row.id),
  ),
)
const failed = report.reduce((sum, row) => sum + row.failed, 0)
const seconds = Math.round((performance.now() - began) / 1000)
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ rows: report.map(asEvidence), runs: played.length, failed, seconds }, undefined, 2)}\n`)
console.log(`\n${report.map(asLine).join('\n')}\n`)
console.log(`mallory: ${report.length} rows, ${played.length} runs, ${failed} not as promised, ${seconds} s`)
process.exit(failed === 0 ? 0 : 1)

async function allFail(): Promise<boolean> {
  let silent = 0
  for (const { ids: all, what, changes } of breaks) {
    const broken = all.filter((id) => ids.includes(id))
    if (broken.length === 0) continue
    const runs = await playAll({ ids: broken, seeds: BROKEN_SEEDS, transport: 'simulated', replacements: changes })
    for (const id of broken) {
      const row = rows.find((one) => one.id === id)
      const failures = runs.filter((run) => run.id === id && row && !isAsPromised(row, run.outcome))
      if (failures.length === 0) silent += 1
      const says = failures[0]?.outcome.kind === 'succeeded' ? failures[0].outcome.says.split('\n')[0] : 'not noticed in time'
      console.log(
        `${failures.length > 0 ? 'ok    ' : 'SILENT'} ${id.padEnd(5)}  ${what}: ${failures.length} of ${BROKEN_SEEDS[1]} runs fail: ${says}`,
      )
    }
  }
  const unbroken = ids.filter((id) => !breaks.some((one) => one.ids.includes(id)))
  console.log(`mallory: ${silent} rows do not notice that the product is broken; nothing to take away for ${unbroken.join(', ')}`)
  return silent === 0
}

function tell({ id, seed, transport, outcome }: Played): void {
  const row = rows.find((one) => one.id === id)
  if (!row || isAsPromised(row, outcome)) return
  const says = outcome.kind === 'succeeded' ? outcome.says : JSON.stringify(outcome)
  console.log(`${id} seed ${seed} ${transport}: ${says}`)
  console.log(
    `replay: npm run mallory -- --only ${id} ${transport === 'real' ? `--seeds 1..0 --real ${seed}..${seed}` : `--seeds ${seed}..${seed} --real 1..0`}`,
  )
}

interface Summary {
  readonly id: string
  readonly attack: string
  readonly verdict: string
  readonly runs: number
  readonly real: number
  /** Runs that did not come out as promised. */
  readonly failed: number
  readonly detected: number
  /** With the how many-th message it was noticed at the latest. */
  readonly farthest: number
  readonly cpuMs: number
}

function summaryOf(row: Row, runs: readonly Played[]): Summary {
  const distances = runs.flatMap(({ outcome }) => (outcome.kind === 'detected' ? [outcome.distance] : []))
  return {
    id: row.id,
    attack: row.attack,
    verdict: row.verdict.kind === 'detected' ? `detected within ${row.verdict.within}` : row.verdict.kind,
    runs: runs.length,
    real: runs.filter(({ transport }) => transport === 'real').length,
    failed: runs.filter(({ outcome }) => !isAsPromised(row, outcome)).length,
    detected: distances.length,
    farthest: Math.max(0, ...distances),
    cpuMs: runs.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
  }
}

function asLine({ id, attack, verdict, runs, real, failed, detected, farthest, cpuMs }: Summary): string {
  const came = verdict === 'prevented' ? `${failed} successes` : `${detected} of ${runs} detected, at the latest with ${farthest}`
  const cost = `${Math.round(cpuMs / Math.max(1, runs))} ms`
  return `${failed === 0 ? 'ok    ' : 'FAILED'} ${id.padEnd(5)}  ${attack.padEnd(60)} ${verdict.padEnd(18)} ${String(runs).padStart(5)} runs (${real} real)  ${came}, ${cost}`
}

/** As `npm test` counts it. */
function asEvidence(row: Summary): Readonly<Record<string, unknown>> {
  const { id, attack, verdict, runs, failed: wrong } = row
  return { ...row, name: `${id} ${attack}`, passed: wrong === 0, says: `${verdict}: ${runs} runs, ${wrong} not so` }
}

function rangeOf(text: string): [number, number] {
  const range = /^(\d+)\.\.(\d+)$/.exec(text)
  if (!range) throw new Error(`a range is FROM..TO, not ${text}`)
  return [Number(range[1]), Number(range[2])]
}
