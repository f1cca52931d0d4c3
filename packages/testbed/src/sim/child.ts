/**
 * Runs seeds in a process of its own and prints what came of each as a line of JSON. What it does to its process
 * (platform.ts) suits nothing else, so `runSeeds` starts it as a program.
 */
import './platform.ts'
import { createWriteStream } from 'node:fs'
import type { Assignment } from './seeds.ts'

// Everything of the product is loaded after the platform, of which it keeps what it finds at its start.
const { makeTemplate } = await import('./template.ts')
const { runSeed } = await import('./run.ts')

const assignment: Assignment = JSON.parse(process.argv[2] ?? '{}')
const template = await makeTemplate()
const trace = assignment.verbose ? { trace: (what: string) => process.stderr.write(`${what}\n`) } : {}
for (const run of assignment.runs) {
  const began = process.cpuUsage()
  const { history, ...outcome } = await runSeed({ ...assignment, ...trace, ...run, template })
  const { user, system } = process.cpuUsage(began)
  if (assignment.history !== undefined) {
    const file = createWriteStream(assignment.history)
    for (const line of history) file.write(`${JSON.stringify(line)}\n`)
    await new Promise((resolve) => file.end(resolve))
  }
  process.stdout.write(`${JSON.stringify({ ...outcome, cpuMs: Math.round((user + system) / 1000) })}\n`)
}
// Timers of the last world are nobody's.
process.exit()
