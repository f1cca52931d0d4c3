/**
 * What the runners of `npm test` wrote about their run, read back: vitest's JSON, Playwright's JSON and the rows of `npm run prove`
 * and `npm run mallory`.
 * Unknown shapes read as empty, since the exit code knows as well whether a run passed.
 */
import { existsSync, readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'

export interface Count {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** A test that failed: where it stands, and the first lines of why. */
export interface Failure {
  readonly file: string
  readonly name: string
  readonly why: string
}

export type Report = Readonly<Record<string, unknown>>

/** An absent or unfinished file is an empty report: the runner died. */
export function readReport(file: string): Report {
  if (!existsSync(file)) return {}
  try {
    const report: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return isRecord(report) ? report : {}
  } catch {
    return {}
  }
}

export const numberAt = (record: Report, name: string): number => (typeof record[name] === 'number' ? record[name] : 0)
export const recordAt = (record: Report, name: string): Report => (isRecord(record[name]) ? record[name] : {})

/** Of vitest. A file that could not be loaded has no failed test, so it stands for itself. */
export function vitestFailures(report: Report): Failure[] {
  return listAt(report, 'testResults').flatMap((file) => {
    const of = { file: textAt(file, 'name') }
    const failed = listAt(file, 'assertionResults').filter((test) => test['status'] === 'failed')
    if (failed.length === 0 && file['status'] === 'failed') return [{ ...of, name: '(the file)', why: firstLines(textAt(file, 'message')) }]
    return failed.map((test) => ({ ...of, name: textAt(test, 'fullName'), why: firstLines(textsAt(test, 'failureMessages')[0] ?? '') }))
  })
}

/** Of Playwright, whose suites hold suites: `unexpected` failed, `flaky` failed and passed when it ran again. */
export function journeysThat(status: 'unexpected' | 'flaky', suite: Report): Failure[] {
  const here = listAt(suite, 'specs').filter((spec) => listAt(spec, 'tests').some((test) => test['status'] === status))
  return [
    ...here.map((spec) => ({ file: textAt(spec, 'file'), name: textAt(spec, 'title'), why: firstLines(errorOf(spec)) })),
    ...listAt(suite, 'suites').flatMap((inner) => journeysThat(status, inner)),
  ]
}

/** Of a program whose rows are pieces of evidence. */
export function failedRows(program: string, report: Report): Failure[] {
  const failed = listAt(report, 'rows').filter((row) => row['passed'] !== true)
  return failed.map((row) => ({ file: program, name: textAt(row, 'name'), why: textAt(row, 'says') }))
}

export const countRows = (report: Report): Count => {
  const rows = listAt(report, 'rows')
  const passed = rows.filter((row) => row['passed'] === true).length
  return { passed, failed: rows.length - passed, skipped: 0 }
}

function errorOf(spec: Report): string {
  for (const test of listAt(spec, 'tests'))
    for (const result of listAt(test, 'results')) {
      const message = textAt(recordAt(result, 'error'), 'message')
      if (message) return message
    }
  return ''
}

const listAt = (record: Report, name: string): Report[] => (Array.isArray(record[name]) ? record[name].filter(isRecord) : [])
const textAt = (record: Report, name: string): string => (typeof record[name] === 'string' ? record[name] : '')
const textsAt = (record: Report, name: string): string[] =>
  Array.isArray(record[name]) ? record[name].filter((one): one is string => typeof one === 'string') : []
const firstLines = (text: string): string => {
  const lines = stripVTControlCharacters(text).trim().split('\n')
  return lines
    .filter((line) => !line.includes('node_modules'))
    .slice(0, 12)
    .join('\n')
    .slice(0, 1200)
}
const isRecord = (value: unknown): value is Report => typeof value === 'object' && value !== null
