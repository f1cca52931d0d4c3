/**
 * `npm run model [-- --most N]`: explores the protocol of delivery with three devices, two conversations, four messages and two
 * commits. Prints how much was looked at; on the first broken promise, the shortest way there, and exit code 1.
 */
import { parseArgs } from 'node:util'
import { explore } from './explore.ts'
import { PRODUCT } from './rules.ts'
import { smallWorld } from './small-world.ts'

const { values } = parseArgs({ options: { most: { type: 'string', default: '1000000' } } })
const { states, steps, whole, done, found } = explore(smallWorld, PRODUCT, Number(values.most))
console.log(`model: ${states} states, ${steps} steps, ${whole ? 'all that can be reached' : 'nearest first'}, ${done} in which all is done`)
if (found) {
  console.log(`${found.id}: ${found.says}`)
  for (const step of found.way) console.log(`  ${step}`)
  process.exitCode = 1
}
