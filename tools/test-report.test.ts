import { expect, test } from 'vitest'
import { countRows, failedRows, journeysThat, readReport, vitestFailures } from './test-report.ts'

test('a failed test is told with its file and the first lines of why, without the runner’s own', () => {
  const message = 'AssertionError: expected 1 to be 2\n    at /a/x.test.ts:3:38\n    at run (/a/node_modules/vitest/run.js:1:1)'
  const report = {
    testResults: [
      {
        name: '/a/x.test.ts',
        status: 'failed',
        assertionResults: [
          { status: 'failed', fullName: 'red', failureMessages: [message] },
          { status: 'passed', fullName: 'green', failureMessages: [] },
        ],
      },
    ],
  }
  expect(vitestFailures(report)).toEqual([
    { file: '/a/x.test.ts', name: 'red', why: 'AssertionError: expected 1 to be 2\n    at /a/x.test.ts:3:38' },
  ])
})

test('a file that could not be loaded is a failure of its own', () => {
  const report = { testResults: [{ name: '/a/x.test.ts', status: 'failed', message: 'SyntaxError: what?', assertionResults: [] }] }
  expect(vitestFailures(report)).toEqual([{ file: '/a/x.test.ts', name: '(the file)', why: 'SyntaxError: what?' }])
})

test('a journey that passed only the second time is told apart from one that failed twice', () => {
  const result = { error: { message: '\u001b[31mgone\u001b[39m' } }
  const spec = (title: string, status: string) => ({ title, file: 'x.journey.ts', tests: [{ status, results: [result] }] })
  const report = {
    suites: [{ specs: [spec('green', 'expected')], suites: [{ specs: [spec('red', 'unexpected'), spec('shy', 'flaky')] }] }],
  }
  expect(journeysThat('unexpected', report)).toEqual([{ file: 'x.journey.ts', name: 'red', why: 'gone' }])
  expect(journeysThat('flaky', report).map(({ name }) => name)).toEqual(['shy'])
})

test('each row of the evidence counts as a test', () => {
  const report = {
    rows: [
      { name: 'F-01', passed: true },
      { name: 'F-02', passed: false, says: '3 violations' },
    ],
  }
  expect(countRows(report)).toEqual({ passed: 1, failed: 1, skipped: 0 })
  expect(failedRows('tools/prove.ts', report)).toEqual([{ file: 'tools/prove.ts', name: 'F-02', why: '3 violations' }])
})

test('a runner that died left nothing to read', () => {
  expect(readReport('/nowhere/report.json')).toEqual({})
})
