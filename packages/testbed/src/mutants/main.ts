/** `npm run mutants -- [--only name,name] [--json FILE]`: prints a table; exit 0 only if every mutant is caught. */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { runMutants } from './mutants.ts'

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, json: { type: 'string' } } })

const began = performance.now()
const rows = await runMutants({
  only: values.only.split(',').filter((name) => name !== ''),
  onRow: ({ name, caught, by, says, seconds }) =>
    console.log(
      `${caught ? 'caught' : 'MISSED'}  ${name.padEnd(46)}${by.padEnd(52)}${seconds.toFixed(1).padStart(6)} s${caught ? '' : `\n        ${says}`}`,
    ),
})
const caught = rows.filter((row) => row.caught).length
const seconds = Math.round((performance.now() - began) / 1000)
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ caught, of: rows.length, seconds, rows }, undefined, 2)}\n`)
console.log(`mutants: ${caught} of ${rows.length} caught, ${seconds} s`)
process.exit(caught === rows.length && rows.length > 0 ? 0 : 1)
