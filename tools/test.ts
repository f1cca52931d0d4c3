/**
 * `npm test`: everything that proves the product. Unit and story tests in Node, those of the server again on a real
 * PostgreSQL, store and worker tests in a real browser, then journeys through the built app. Needs no service: PostgreSQL
 * comes from the lock, Redis from the PATH or Debian, and the run starts and ends both. Without Redis the tests of several servers,
 * without a browser the last two are skipped and said so; with CI set that is a failure. With `--prove` it ends with
 * `npm run prove` and `npm run mallory`, each of their rows counted as a test.
 *
 * A file with a failed test runs once more, alone, when the rest is over: if it passes then, it is named as UNSTABLE and does not
 * fail the run; a defect that is always there fails twice. What failed is told at the end, before the last line, which counts:
 * `N passed, N failed, N skipped`.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { ensureChromium } from './ensure-chromium.ts'
import { ensureRedis } from './redis/ensure-redis.ts'
import {
  countRows,
  failedRows,
  journeysThat,
  numberAt,
  readReport,
  recordAt,
  vitestFailures,
  type Count,
  type Failure,
} from './test-report.ts'

/** `count` before anything ran again; `failures` with what ran again and failed again. */
interface Part {
  readonly count: Count
  readonly failures: readonly Failure[]
  readonly unstable: readonly Failure[]
}

/** Stories wait more than they compute, so two files at a time suit even a machine with two processors. */
const WORKERS = 2

const results = mkdtempSync(join(tmpdir(), 'tacit-test-'))
const chromium = ensureChromium()
if (!ensureRedis())
  console.log('Tests of several servers are skipped: no Redis was found (Debian: apt-get install redis-server, or set REDIS_SERVER).')
const parts: Part[] = [vitest('node'), vitest('postgres')]

if (chromium) {
  process.env['CHROMIUM'] = chromium
  parts.push(vitest('browser'), journeys())
} else {
  console.log('Browser tests and journeys were skipped: no Chromium was found (Debian: apt-get install chromium, or set CHROMIUM).')
  parts.push({ count: { passed: 0, failed: process.env['CI'] ? 1 : 0, skipped: 2 }, failures: [], unstable: [] })
}

if (process.argv.includes('--prove')) parts.push(evidence('tools/prove.ts'), evidence('packages/testbed/src/mallory/main.ts'))
rmSync(results, { recursive: true, force: true })
tell(
  'FAILED',
  parts.flatMap(({ failures }) => failures),
)
tell(
  'UNSTABLE (failed, then passed when run again alone)',
  parts.flatMap(({ unstable }) => unstable),
)
const total = (name: keyof Count): number => parts.reduce((sum, { count }) => sum + count[name], 0)
process.exitCode = total('failed') === 0 && total('passed') > 0 ? 0 : 1
console.log(`${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`)

function vitest(project: string): Part {
  const first = vitestOnce(project, [], WORKERS)
  const again = [...new Set(first.failures.map(({ file }) => relative(process.cwd(), file)))]
  if (first.count.failed === 0 || again.length === 0) return first
  console.log(`\nOnce more, alone: ${again.join(' ')}\n`)
  const second = vitestOnce(project, again, 1)
  if (second.count.failed > 0) return { ...first, failures: second.failures.length > 0 ? second.failures : first.failures }
  const { passed, failed, skipped } = first.count
  return { count: { passed: passed + failed, failed: 0, skipped }, failures: [], unstable: first.failures }
}

function vitestOnce(project: string, files: readonly string[], workers: number): Part {
  const out = join(results, `${project}.json`)
  const status = run('vitest', [
    'run',
    ...files,
    '--project',
    project,
    `--maxWorkers=${workers}`,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${out}`,
  ])
  const report = readReport(out)
  const failed = numberAt(report, 'numFailedTests')
  const count = {
    passed: numberAt(report, 'numPassedTests'),
    // A suite that could not even be loaded counts no test; the exit code still knows.
    failed: status === 0 ? failed : Math.max(failed, 1),
    skipped: numberAt(report, 'numPendingTests') + numberAt(report, 'numTodoTests'),
  }
  return { count, failures: vitestFailures(report), unstable: [] }
}

function journeys(): Part {
  const out = join(results, 'journeys.json')
  const built = run('node', ['tools/build-web.ts'])
  const env = { PLAYWRIGHT_JSON_OUTPUT_FILE: out, NODE_OPTIONS: '--conditions=tacit-source' }
  const status = built === 0 ? run('playwright', ['test', '-c', 'journeys/playwright.config.ts', '--reporter=list,json'], env) : built
  const report = readReport(out)
  const stats = recordAt(report, 'stats')
  const failed = numberAt(stats, 'unexpected')
  const count = {
    passed: numberAt(stats, 'expected') + numberAt(stats, 'flaky'),
    failed: status === 0 ? failed : Math.max(failed, 1),
    skipped: numberAt(stats, 'skipped'),
  }
  return { count, failures: journeysThat('unexpected', report), unstable: journeysThat('flaky', report) }
}

/** A program that reports rows. */
function evidence(program: string): Part {
  const out = join(results, 'evidence.json')
  rmSync(out, { force: true })
  const status = run('node', ['-C', 'tacit-source', program, '--json', out])
  const report = readReport(out)
  const count = countRows(report)
  return {
    count: { ...count, failed: status === 0 ? count.failed : Math.max(count.failed, 1) },
    failures: failedRows(program, report),
    unstable: [],
  }
}

function tell(heading: string, failures: readonly Failure[]): void {
  if (failures.length === 0) return
  console.log(`\n${heading}:`)
  for (const { file, name, why } of failures) console.log(`- ${relative(process.cwd(), file)}: ${name}\n${why.replaceAll(/^/gm, '    ')}`)
  console.log('')
}

function run(program: string, args: readonly string[], env: Record<string, string> = {}): number {
  return spawnSync(program, args, { stdio: 'inherit', env: { ...process.env, ...env } }).status ?? 1
}
