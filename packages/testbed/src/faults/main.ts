/**
 * `npm run faults -- [--short | --long] [--only F-05,F-06] [--times N] [--json FILE]`: real processes with faults, and a checker that knows no product. Prints a
 * table; exit 0 only without violations.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { runFaults } from './faults.ts'

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    times: { type: 'string' },
    json: { type: 'string' },
  },
})

// Each process that is started ends with this one.
process.setMaxListeners(100)
// A process that is asked to end takes its servers with it.
process.once('SIGTERM', () => process.exit(143))

const began = performance.now()
const { rows } = await runFaults({
  version: values.long ? 'long' : 'short',
  only: values.only.split(',').filter((id) => id !== ''),
  ...(values.times !== undefined && { times: Number(values.times) }),
})
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ rows }, undefined, 2)}\n`)
const total = (of: (row: (typeof rows)[number]) => number): number => rows.reduce((sum, row) => sum + of(row), 0)
const violations = total((row) => row.violations)
const counts = `${total((row) => row.injections)} injections, ${total((row) => row.kills)} kills, ${total((row) => row.acknowledged)} acknowledged`
console.log(`faults: ${rows.length} rows, ${counts}, ${violations} violations, ${Math.round((performance.now() - began) / 1000)} s`)
process.exit(violations === 0 && rows.length > 0 ? 0 : 1)
