/** Runs a catcher in processes of its own, with a mutant or without, and says what it found. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { replacingProcess, type Replacement } from '../hooks/replacements.ts'
import type { Catcher } from './catalogue.ts'

const ROOT = resolve(import.meta.dirname, '../../../..')

/** Longer than any of them takes; what runs longer has found nothing. Milliseconds. */
const PATIENCE = 90_000

/** `found`: what the catcher is there for; `silent`: it ran, and all was well; `broken`: it did not run as it should. */
export type Found = { readonly kind: 'found' | 'silent' | 'broken'; readonly says: string }

/** The same for two catchers only if they are one. */
export const keyOf = (catcher: Catcher): string => JSON.stringify(catcher)

export async function runCatcher(catcher: Catcher, changes: readonly Replacement[]): Promise<Found> {
  const found = await runTogether([catcher], changes)
  return found.get(keyOf(catcher)) ?? { kind: 'broken', says: 'nothing ran' }
}

/** Catchers of one file without a mutant, in one process; by their keys. */
export const runSound = (catchers: readonly Catcher[]): Promise<ReadonlyMap<string, Found>> => runTogether(catchers, [])

async function runTogether(catchers: readonly Catcher[], changes: readonly Replacement[]): Promise<ReadonlyMap<string, Found>> {
  const [first] = catchers
  if (!first) return new Map()
  const folder = mkdtempSync(join(tmpdir(), 'tacit-mutant-'))
  try {
    const file = join(folder, 'report.json')
    const names = catchers.flatMap((one) => (one.kind === 'test' ? one.name : []))
    const ended = await run(commandOf(first, { names, report: file }), changes)
    const report = readReport(file)
    const judged = (catcher: Catcher): Found => (report ? judge(catcher, report) : { kind: 'broken', says: ended })
    return new Map(catchers.map((catcher) => [keyOf(catcher), judged(catcher)]))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `names`: of tests; an empty one is all of them. */
function commandOf(catcher: Catcher, { names, report }: { names: readonly string[]; report: string }): readonly string[] {
  switch (catcher.kind) {
    case 'test': {
      const { file, project } = catcher
      // Its cache knows sources by their files, not by what is made of them.
      const args = ['run', file, '--project', project, '--fsModuleCache=false', '--reporter=json', `--outputFile=${report}`]
      return [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args, ...(names.includes('') ? [] : ['-t', names.map(escaped).join('|')])]
    }
    case 'images': {
      const program = join(ROOT, 'packages/testbed/src/images/main.ts')
      const size = ['--images', String(catcher.images), '--messages', String(catcher.messages)]
      return ['-C', 'tacit-source', program, '--without-control', '--json', report, ...size]
    }
  }
}

const escaped = (name: string): string => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Resolves with the end of what it printed. Test runs find the changes in the environment (vitest.config.ts), Node gets a hook. */
function run(command: readonly string[], changes: readonly Replacement[]): Promise<string> {
  const { environment, nodeArguments } = replacingProcess(changes)
  const hook = command[0]?.endsWith('vitest.mjs') || changes.length === 0 ? {} : { NODE_OPTIONS: nodeArguments.join('=') }
  const child = spawn(process.execPath, command, {
    cwd: ROOT,
    env: { ...process.env, ...environment, ...hook },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (printed = (printed + chunk.toString()).slice(-2000)))
  const { promise, resolve: ended } = Promise.withResolvers<string>()
  // Its group: it has children of its own.
  const late = setTimeout(() => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'), PATIENCE)
  child.once('close', (code) => {
    clearTimeout(late)
    ended(`exit ${String(code)}: ${printed}`)
  })
  return promise
}

type Report = Readonly<Record<string, unknown>>

function readReport(file: string): Report | undefined {
  try {
    const report: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return isRecord(report) ? report : undefined
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is Report => typeof value === 'object' && value !== null
const listAt = (report: Report, name: string): readonly Report[] => (Array.isArray(report[name]) ? report[name].filter(isRecord) : [])

function judge(catcher: Catcher, report: Report): Found {
  if (catcher.kind === 'test') return judgeTests(catcher.name, report)
  const violations = Number(report['violations'])
  return { kind: violations > 0 ? 'found' : 'silent', says: `D-1 in ${violations} of ${String(report['images'])} images` }
}

/** The named test ran and failed; that a file cannot be loaded is no catch. */
function judgeTests(name: string, report: Report): Found {
  const tests = listAt(report, 'testResults').flatMap((file) => listAt(file, 'assertionResults'))
  const named = tests.filter(({ title, status }) => String(title).startsWith(name) && status !== 'skipped' && status !== 'pending')
  const failed = named.find(({ status }) => status === 'failed')
  if (failed) return { kind: 'found', says: `${String(failed['title'])}: ${String(failed['failureMessages']).split('\n')[0]}` }
  return named.length > 0 ? { kind: 'silent', says: `${named.length} passed` } : { kind: 'broken', says: `no test is named "${name}"` }
}
