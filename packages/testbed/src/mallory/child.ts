/** Plays rows in a process of its own and prints what came of each run as a line of JSON; `runs.ts` starts it. */
import type { Assignment, Played } from './runs.ts'
import type { Outcome, Row } from './row.ts'

const assignment: Assignment = JSON.parse(process.argv[2] ?? '{}')

type Play = (seed: string, row: Row) => Promise<Outcome>

/** Everything of the product is loaded after the platform, which keeps what it finds at its start. */
async function simulated(): Promise<Play> {
  await import('../sim/platform.ts')
  const [{ CAST, playSimulated }, { makeTemplate }] = await Promise.all([import('./simulated-stage.ts'), import('../sim/template.ts')])
  const template = await makeTemplate(CAST)
  return (seed, row) => playSimulated({ template, seed }, row.play)
}

async function real(): Promise<Play> {
  const { openRealTheatre } = await import('./real-stage.ts')
  const theatre = await openRealTheatre()
  return async (seed, row) => {
    await using stage = await theatre.stage(seed)
    return await row.play(stage)
  }
}

const play = await (assignment.transport === 'simulated' ? simulated() : real())
const { attacks } = await import('./catalogue.ts')
for (const { id, seed } of assignment.runs) {
  const began = process.cpuUsage()
  const row = attacks.find((one) => one.id === id)
  if (!row) throw new Error(`no row ${id}`)
  const outcome = await play(`${id} ${seed}`, row).catch((error: unknown): Outcome => ({
    kind: 'succeeded',
    says: `honest people could not go on: ${error instanceof Error ? (error.stack ?? '') : String(error)}`,
  }))
  const { user, system } = process.cpuUsage(began)
  const played: Played = { id, seed, transport: assignment.transport, outcome, cpuMs: Math.round((user + system) / 1000) }
  process.stdout.write(`${JSON.stringify(played)}\n`)
}
// Timers of the last world are nobody's.
process.exit()
