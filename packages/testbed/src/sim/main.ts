/**
 * `npm run sim -- --seed N | --seeds A..B [--steps M] [--mallory] [--churn] [--only FAULT,FAULT] [--workers W] [--verbose] [--history FILE] [--json FILE]`,
 * or `--seed N --crash MACHINE[:OPERATION] [--power]`: MACHINE ends at that operation of its disk, or in one run after the other
 * at each of them. The real server and real devices in a simulated world. Prints what happened and each violation with the command that
 * replays it; exit 0 only without violations.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { runEveryCrash, runSeeds, USUAL_STEPS, type Ran, type SeedsOptions } from './seeds.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    steps: { type: 'string', default: String(USUAL_STEPS) },
    workers: { type: 'string' },
    mallory: { type: 'boolean', default: false },
    churn: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    crash: { type: 'string' },
    power: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    history: { type: 'string' },
    json: { type: 'string' },
  },
})

const range = /^(\d+)\.\.(\d+)$/.exec(values.seeds ?? '')
const from = Number(range?.[1] ?? values.seed ?? 1)
const count = range ? Number(range[2]) - from + 1 : 1
const [steps, mallory, churn] = [Number(values.steps), values.mallory, values.churn]

const flags = [mallory && '--mallory', churn && '--churn', values.only && `--only ${values.only}`, values.power && '--power'].filter(
  (flag) => flag,
)

function tell({ seed, crash, findings }: Ran): void {
  const at = crash ? ` --crash ${crash.machine}:${crash.operation}` : ''
  for (const { id, says } of findings) console.log(`seed ${seed}${at} ${id}: ${says}`)
  if (findings.length > 0) console.log(`replay: npm run sim -- --seed ${seed} --steps ${steps}${at} ${flags.join(' ')} --verbose`)
}

const inSeconds = (time: number): string => (time / 1000).toFixed(1)

const options: SeedsOptions = {
  from,
  count,
  steps,
  mallory,
  churn,
  only: values.only.split(',').filter((kind) => kind !== ''),
  verbose: values.verbose,
  ...(values.workers !== undefined && { workers: Number(values.workers) }),
  ...(values.history !== undefined && { history: values.history }),
  onSeed: tell,
}

const [machine, operation] = values.crash?.split(':') ?? []
const { power } = values
const run = () => {
  if (machine === undefined) return runSeeds(options)
  if (operation === undefined) return runEveryCrash({ ...options, machine, power })
  return runSeeds({ ...options, crashes: [{ machine, operation: Number(operation), power }] })
}
const report = await run()
const { ran, accepted, kills, violations, faults, legibility, healed, seconds } = report
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`)
console.log(
  Object.entries(faults)
    .map(([kind, times]) => `${kind} ${times}`)
    .join(', '),
)
const { read, undecryptable, excused } = legibility
console.log(
  `unable to decrypt: ${undecryptable} on devices entitled to it, of ${read + undecryptable} messages (${excused} more that the rules let a device miss)`,
)
if (ran.length === 1) console.log(`history ${ran[0]?.hash}`)
console.log(
  `sim: ${ran.length} ${machine === undefined ? 'seeds' : 'crashes'} of ${steps} steps, ${accepted} accepted, ${kills} kills, healed within ${inSeconds(healed.p50)} s (p50), ${inSeconds(healed.p99)} s (p99), ${inSeconds(healed.max)} s (max), ${violations} violations, ${(ran.length / seconds).toFixed(2)} seeds/s`,
)
process.exit(violations === 0 ? 0 : 1)
