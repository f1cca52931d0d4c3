/**
 * What one noisy account does to everybody else: `npm run bench:noisy`. A server with the limits of a public one; 400 people
 * send 1,000 messages a second within their budgets, in turns alone and beside an account whose eight devices send messages of
 * up to 60 KB as fast as they can and come back whenever they are thrown out. Figures are the least, the median and the most of
 * the rounds.
 */
import { Generator, onGround, publish, round, seconds, type RunningServer } from './relay/harness.ts'
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
    const [alone, beside]: [Result[], Result[]] = [[], []]
    const generator = new Generator(server)
    for (let round = 0; round < ROUNDS; round++) {
      alone.push(await quiet(generator, people))
      const noise = makeNoise(server, people)
      beside.push(await quiet(generator, people))
      noise.stop()
    }
    generator.stop()
    server.stop()
    const [median, besideMedian] = [spread(alone, 'p99').median, spread(beside, 'p99').median]
    rows.push({
      server: database,
      'alone p50 ms': shown(spread(alone, 'p50')),
      'alone p99 ms': shown(spread(alone, 'p99')),
      'beside noise p50 ms': shown(spread(beside, 'p50')),
      'beside noise p99 ms': shown(spread(beside, 'p99')),
      'p99 moves by': `${round((besideMedian / median - 1) * 100)} %`,
    })
  }
  publish('noisy', { 'beside a noisy account': rows })
})
process.exit(0)

async function quiet(generator: Generator, people: readonly BenchDevice[]): Promise<Result> {
  const { report } = await generator.run(people.slice(0, QUIET), { kind: 'load', outstanding: 0, rate: RATE, warmUp: 2, seconds })
  if (report.kind !== 'measured') throw new Error('nothing was measured')
  return report.result
}

function makeNoise(server: RunningServer, people: readonly BenchDevice[]): Generator {
  const generator = new Generator(server, { yielding: true })
  void generator.run(people.slice(QUIET), { kind: 'noise' })
  return generator
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
