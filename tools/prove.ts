/**
 * `npm run prove [-- --long] [--json FILE]`: the evidence that nothing accepted is lost. Real processes with faults, seeds of
 * the simulation, crash images, and mistakes that the tests must find. Prints a table whose last line is the totals; exit 0
 * only with 0 violations, every mutant caught and no fewer of anything than is asked for. The short version is CI's. The attacks
 * of a malicious server are `npm run mallory`.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { long: { type: 'boolean', default: false }, json: { type: 'string' } } })

/** What must be reached at least; acknowledged by real servers, kills of real servers. */
const ASKED = values.long
  ? { acknowledged: 1_000_000, kills: 1000, images: 10_000, seeds: 10_000, mutants: 24 }
  : { acknowledged: 150_000, kills: 60, images: 400, seeds: 200, mutants: 24 }

interface Row {
  readonly name: string
  readonly passed: boolean
  readonly seconds: number
  readonly says: string
}

type Totals = Record<keyof typeof ASKED | 'violations', number>
type Report = Readonly<Record<string, unknown>>

const folder = mkdtempSync(join(tmpdir(), 'tacit-prove-'))
const began = performance.now()
const totals: Totals = { acknowledged: 0, kills: 0, images: 0, seeds: 0, mutants: 0, violations: 0 }
const rows = [...faults(), ...images(), ...mutants(), ...simulation()]
rmSync(folder, { recursive: true, force: true })
const short = Object.entries(ASKED).filter(([name, least]) => totals[name as keyof Totals] < least)
rows.push({
  name: 'as much as is asked for',
  passed: short.length === 0,
  seconds: 0,
  says: short.map(([name, least]) => `${name} ${totals[name as keyof Totals]} of ${least}`).join(', ') || 'reached',
})
const passed = rows.every((row) => row.passed) && totals.violations === 0
const seconds = Math.round((performance.now() - began) / 1000)
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ passed, seconds, totals, rows }, undefined, 2)}\n`)
console.log(`\n${rows.map(asLine).join('\n')}\n`)
console.log(
  `prove: ${passed ? 'ok' : 'FAILED'}, ${totals.acknowledged} acknowledged, ${totals.kills} kills, ${totals.images} images, ${totals.seeds} seeds, ` +
    `${totals.mutants} of ${ASKED.mutants} mutants caught, ${totals.violations} violations, ${seconds} s`,
)
process.exitCode = passed ? 0 : 1

function faults(): Row[] {
  const report = run('packages/testbed/src/faults/main.ts', [values.long ? '--long' : '--short'])
  const found = listAt(report, 'rows').map((row): Row => {
    totals.acknowledged += numberAt(row, 'acknowledged')
    totals.kills += numberAt(row, 'kills')
    totals.violations += numberAt(row, 'violations')
    const counts = `${numberAt(row, 'injections')} times, ${numberAt(row, 'acknowledged')} acknowledged, ${numberAt(row, 'violations')} violations`
    const says = [counts, ...textsAt(row, 'says').map((what) => `\n         ${what}`)].join('')
    return {
      name: `${String(row['id'])} ${String(row['name'])}`,
      passed: numberAt(row, 'violations') === 0,
      seconds: numberAt(row, 'seconds'),
      says,
    }
  })
  return found.length > 0 ? found : [nothing('faults in real processes')]
}

function simulation(): Row[] {
  const steady = simulated('simulation', ['--seeds', `1..${ASKED.seeds}`])
  totals.seeds = steady.ran
  return [steady.row, simulated('simulation, devices come and go', ['--seeds', values.long ? '1..2000' : '1..40', '--churn']).row]
}

function simulated(name: string, args: readonly string[]): { readonly row: Row; readonly ran: number } {
  const report = run('packages/testbed/src/sim/main.ts', args)
  const ran = listAt(report, 'ran').length
  if (ran === 0) return { row: nothing(name), ran }
  const violations = numberAt(report, 'violations')
  totals.violations += violations
  const { read, undecryptable } = Object(report['legibility'])
  const { p99, max } = Object(report['healed'])
  const says =
    `${ran} seeds, ${numberAt(report, 'accepted')} accepted, ${numberAt(report, 'kills')} kills, ${violations} violations, ` +
    `unable to decrypt ${undecryptable} of ${read}, healed within ${p99 / 1000} s (p99), ${max / 1000} s (max)`
  return { row: { name, passed: violations === 0, seconds: numberAt(report, 'seconds'), says }, ran }
}

function images(): Row[] {
  const report = run('packages/testbed/src/images/main.ts', ['--images', String(ASKED.images)])
  if (!('images' in report)) return [nothing('F-29 crash images')]
  const [count, violations, control] = [numberAt(report, 'images'), numberAt(report, 'violations'), numberAt(report, 'controlViolations')]
  totals.images = count
  totals.acknowledged += numberAt(report, 'acknowledged')
  totals.violations += violations
  return [
    {
      name: 'F-29 crash images',
      passed: violations === 0,
      seconds: numberAt(report, 'seconds'),
      says: `${count} images, ${violations} violations`,
    },
    { name: 'F-29 control that must fail', passed: control > 0, seconds: 0, says: `synchronous=NORMAL: ${control} images violate` },
  ]
}

function mutants(): Row[] {
  const report = run('packages/testbed/src/mutants/main.ts', [])
  const found = listAt(report, 'rows').map((row): Row => {
    const isCaught = row['caught'] === true
    if (isCaught) totals.mutants++
    return { name: `mutant: ${String(row['name'])}`, passed: isCaught, seconds: numberAt(row, 'seconds'), says: String(row['by']) }
  })
  return found.length > 0 ? found : [nothing('mutants')]
}

/** Its report, or an empty one when it wrote none. */
function run(program: string, args: readonly string[]): Report {
  const file = join(folder, 'report.json')
  rmSync(file, { force: true })
  spawnSync(process.execPath, ['-C', 'tacit-source', program, ...args, '--json', file], { stdio: 'inherit' })
  const report: unknown = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  return isReport(report) ? report : {}
}

function nothing(name: string): Row {
  return { name, passed: false, seconds: 0, says: 'it did not come to its end' }
}

function asLine({ name, passed: isPassed, seconds: took, says }: Row): string {
  return `${isPassed ? 'ok    ' : 'FAILED'} ${name.padEnd(56)}${took.toFixed(1).padStart(7)} s  ${says}`
}

function isReport(value: unknown): value is Report {
  return typeof value === 'object' && value !== null
}

function listAt(report: Report, name: string): readonly Report[] {
  const list = report[name]
  return Array.isArray(list) ? list.filter(isReport) : []
}

function textsAt(report: Report, name: string): readonly string[] {
  const list = report[name]
  return Array.isArray(list) ? list.map(String) : []
}

function numberAt(report: Report, name: string): number {
  const value = report[name]
  return typeof value === 'number' ? value : 0
}
