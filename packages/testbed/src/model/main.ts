/**
 * `npm run model [-- --most N]`: explores the protocol of delivery, first a race whole, then three devices in two conversations with
 * four messages and two commits, nearest first. Prints how much was looked at; of a broken promise the shortest way there, and
 * ends with exit code 1.
 */
import { parseArgs } from 'node:util'
import { explore } from './explore.ts'
import { PRODUCT } from './rules.ts'
import { race, smallWorld } from './small-world.ts'

const { values } = parseArgs({ options: { most: { type: 'string', default: '1000000' } } })
const most = Number(values.most)
const worlds = { race: explore(race, PRODUCT, 2 * most), 'small world': explore(smallWorld, PRODUCT, most) }

for (const [name, { states, steps, whole, done, found }] of Object.entries(worlds)) {
  console.log(`${name}: ${states} states, ${steps} steps, ${whole ? `all that there are, all is done in ${done}` : 'the nearest'}`)
  if (!found) continue
  console.log(`${found.id}: ${found.says}`)
  for (const step of found.way) console.log(`  ${step}`)
  process.exitCode = 1
}
