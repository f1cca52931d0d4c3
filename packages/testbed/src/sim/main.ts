/**
 * `npm run sim -- --seed N | --seeds A..B [--steps M] [--mallory] [--only FAULT,FAULT] [--workers W] [--verbose] [--history FILE] [--json FILE]`:
 * the real server and real devices in a simulated world. Prints what happened and each violation with the command that
 * replays it; exit 0 only without violations.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { runSeeds, USUAL_STEPS, type Ran } from './seeds.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    steps: { type: 'string', default: String(USUAL_STEPS) },
    workers: { type: 'string' },
    mallory: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    verbose: { type: 'boolean', default: false },
    history: { type: 'string' },
    json: { type: 'string' },
  },
})

const range = /^(\d+)\.\.(\d+)$/.exec(values.seeds ?? '')
const from = Number(range?.[1] ?? values.seed ?? 1)
const count = range ? Number(range[2]) - from + 1 : 1
const [steps, mallory] = [Number(values.steps), values.mallory]

const replay = (seed: number): string =>
  `npm run sim -- --seed ${seed} --steps ${steps}${mallory ? ' --mallory' : ''}${values.only ? ` --only ${values.only}` : ''} --verbose`

function tell({ seed, findings }: Ran): void {
  for (const { id, says } of findings) console.log(`seed ${seed} ${id}: ${says}`)
  if (findings.length > 0) console.log(`replay: ${replay(seed)}`)
}

const report = await runSeeds({
  from,
  count,
  steps,
  mallory,
  only: values.only.split(',').filter((kind) => kind !== ''),
  verbose: values.verbose,
  ...(values.workers !== undefined && { workers: Number(values.workers) }),
  ...(values.history !== undefined && { history: values.history }),
  onSeed: tell,
})
const { ran, accepted, kills, violations, faults, seconds } = report
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`)
const slowest = Math.max(...ran.map(({ healedWithin }) => healedWithin)) / 1000
console.log(
  Object.entries(faults)
    .map(([kind, times]) => `${kind} ${times}`)
    .join(', '),
)
if (count === 1) console.log(`history ${ran[0]?.hash}`)
console.log(
  `sim: ${count} seeds of ${steps} steps, ${accepted} accepted, ${kills} kills, healed within ${slowest} s, ${violations} violations, ${(count / seconds).toFixed(2)} seeds/s`,
)
process.exit(violations === 0 ? 0 : 1)
