/**
 * What one noisy account does to everybody else: `npm run bench:noisy`. A server with the limits of a public one; 400 people
 * send 1,000 messages a second within their budgets, in turns alone and beside an account whose eight devices send messages of
 * up to 60 KB as fast as they can and come back whenever they are thrown out.
 */
import { Generator, onGround, publish, round, seconds, shown, type RunningServer } from './relay/harness.ts'
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
    rows.push({
      server: database,
      'alone p50/p99/p99.9 ms': shown(middle(alone)),
      'beside noise p50/p99/p99.9 ms': shown(middle(beside)),
      'p99 moves by': `${round((middle(beside).p99 / middle(alone).p99 - 1) * 100)} %`,
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

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? 0
}

/** Medians over the rounds. */
function middle(results: readonly Result[]): Result['delivery'] {
  const of = (which: keyof Result['delivery']): number => median(results.map(({ delivery }) => delivery[which]))
  return { p50: of('p50'), p99: of('p99'), p999: of('p999') }
}
