/**
 * `npm test`: everything that proves the product. Unit and story tests in Node, those of the server again on a real
 * PostgreSQL, store and worker tests in a real browser, then journeys through the built app. Needs no service: PostgreSQL
 * comes from the lock, Redis from the PATH or Debian, and the run starts and ends both. Without Redis the tests of several servers,
 * without a browser the last two are skipped and said so; with CI set that is a failure. With `--prove` it ends with
 * `npm run prove`, each of its rows counted as a test. The last line counts: `N passed, N failed, N skipped`.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureChromium } from './ensure-chromium.ts'
import { ensureRedis } from './redis/ensure-redis.ts'

interface Count {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const results = mkdtempSync(join(tmpdir(), 'tacit-test-'))
const chromium = ensureChromium()
if (!ensureRedis())
  console.log('Tests of several servers are skipped: no Redis was found (Debian: apt-get install redis-server, or set REDIS_SERVER).')
const counts: Count[] = [vitest('node'), vitest('postgres')]

if (chromium) {
  process.env['CHROMIUM'] = chromium
  counts.push(vitest('browser'), journeys())
} else {
  console.log('Browser tests and journeys were skipped: no Chromium was found (Debian: apt-get install chromium, or set CHROMIUM).')
  counts.push({ passed: 0, failed: process.env['CI'] ? 1 : 0, skipped: 2 })
}

if (process.argv.includes('--prove')) counts.push(prove())
rmSync(results, { recursive: true, force: true })
const total = counts.reduce((sum, count) => ({
  passed: sum.passed + count.passed,
  failed: sum.failed + count.failed,
  skipped: sum.skipped + count.skipped,
}))
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)

function vitest(project: string): Count {
  const file = join(results, `${project}.json`)
  const status = run('vitest', ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`])
  const report = readReport(file)
  const passed = numberAt(report, 'numPassedTests')
  const failed = numberAt(report, 'numFailedTests')
  const skipped = numberAt(report, 'numPendingTests') + numberAt(report, 'numTodoTests')
  // A suite that could not even be loaded counts no test; the exit code still knows.
  return { passed, failed: status === 0 ? failed : Math.max(failed, 1), skipped }
}

function journeys(): Count {
  const file = join(results, 'journeys.json')
  const built = run('node', ['tools/build-web.ts'])
  const status =
    built === 0
      ? run('playwright', ['test', '-c', 'journeys/playwright.config.ts', '--reporter=list,json'], {
          PLAYWRIGHT_JSON_OUTPUT_FILE: file,
          NODE_OPTIONS: '--conditions=tacit-source',
        })
      : built
  const stats = readReport(file)['stats']
  const of = (name: string): number => numberAt(isRecord(stats) ? stats : {}, name)
  return {
    passed: of('expected') + of('flaky'),
    failed: status === 0 ? of('unexpected') : Math.max(of('unexpected'), 1),
    skipped: of('skipped'),
  }
}

function prove(): Count {
  const file = join(results, 'prove.json')
  const status = run('node', ['tools/prove.ts', '--json', file])
  const found = readReport(file)['rows']
  const rows: unknown[] = Array.isArray(found) ? found : []
  const passed = rows.filter((row) => isRecord(row) && row['passed'] === true).length
  const failed = rows.length - passed
  return { passed, failed: status === 0 ? failed : Math.max(failed, 1), skipped: 0 }
}

function run(program: string, args: readonly string[], env: Record<string, string> = {}): number {
  return spawnSync(program, args, { stdio: 'inherit', env: { ...process.env, ...env } }).status ?? 1
}

function readReport(file: string): Record<string, unknown> {
  const report: unknown = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  return isRecord(report) ? report : {}
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function numberAt(record: Record<string, unknown>, name: string): number {
  const value = record[name]
  return typeof value === 'number' ? value : 0
}
