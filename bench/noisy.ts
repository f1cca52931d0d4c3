/**
 * What one noisy account does to everybody else: `npm run bench:noisy`. A server with the limits of a public one; 400 people
 * send 1,000 messages a second within their budgets, in turns alone and beside an account whose eight devices send messages of
 * up to 60 KB as fast as they can and come back whenever they are thrown out. "When it begins" starts with its first moment, with all
 * that it had saved of its budgets; "as it goes on" is some seconds later. Figures are the least, the median and the most of the rounds.
 */
import { Generator, onGround, publish, round, seconds } from './relay/harness.ts'
import type { Result } from './relay/talk.ts'
import type { BenchDevice } from './relay/world.ts'

const QUIET = 400
const NOISY = 8
const RATE = 1000
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 4)

await onGround({ count: QUIET + NOISY }, async ({ people, databases, startServer }) => {
  const rows: object[] = []
  for (const database of databases) {
    const server = await startServer(database, { limited: true })
    const [alone, begins, goesOn]: [Result[], Result[], Result[]] = [[], [], []]
    const generator = new Generator(server)
    for (let round = 0; round < ROUNDS; round++) {
      alone.push(await quiet(generator, people))
      const noise = new Generator(server, { yielding: true })
      begins.push(await quiet(generator, people, () => void noise.run(people.slice(QUIET), { kind: 'noise' })))
      goesOn.push(await quiet(generator, people))
      noise.stop()
    }
    generator.stop()
    server.stop()
    for (const [what, results] of Object.entries({ alone, 'when it begins': begins, 'as it goes on': goesOn })) {
      const moved = spread(results, 'p99').median / spread(alone, 'p99').median
      rows.push({
        server: database,
        'beside the noise': what,
        'p50 ms': shown(spread(results, 'p50')),
        'p99 ms': shown(spread(results, 'p99')),
        'p99 moves by': results === alone ? '' : `${round((moved - 1) * 100)} %`,
      })
    }
  }
  publish('noisy', { 'beside a noisy account': rows })
})
process.exit(0)

async function quiet(generator: Generator, people: readonly BenchDevice[], began = () => {}): Promise<Result> {
  const work = { kind: 'load', outstanding: 0, rate: RATE, warmUp: 2, seconds } as const
  const { report } = await generator.run(people.slice(0, QUIET), work, began)
  if (report.kind !== 'measured') throw new Error('nothing was measured')
  return report.result
}

interface Spread {
  readonly least: number
  readonly median: number
  readonly most: number
}

/** Over the rounds. */
function spread(results: readonly Result[], which: keyof Result['delivery']): Spread {
  const ordered = results.map(({ delivery }) => delivery[which]).toSorted((left, right) => left - right)
  return { least: ordered[0] ?? 0, median: ordered[ordered.length >> 1] ?? 0, most: ordered.at(-1) ?? 0 }
}

function shown({ least, median, most }: Spread): string {
  return `${least} / ${median} / ${most}`
}
