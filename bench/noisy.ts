/**
 * What one noisy account does to everybody else: `npm run bench:noisy`. A server with the limits of a public one; 400 people
 * send 1,000 messages a second within their budgets, in turns alone and beside an account whose eight devices send messages of
 * up to 60 KB as fast as they can and come back whenever they are thrown out. "When it begins" starts with its first moment, with all
 * that it had saved of its budgets; "as it goes on" is some seconds later. Figures are the least, the median and the most of the rounds.
 * Before that it began a few times: until a server has seen some thousand large messages the engine compiles what they go through,
 * on the one core that the server has here.
 */
import { Generator, onGround, publish, seconds } from './relay/harness.ts'
import type { Result } from './relay/talk.ts'
import type { BenchDevice } from './relay/world.ts'

const QUIET = 400
const NOISY = 8
const RATE = 1000
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 8)
const WARMING = { rounds: 6, seconds: 2 } as const

/** What was measured, and how the table calls it. */
const PARTS = [
  ['alone', 'alone'],
  ['begins', 'when it begins'],
  ['goesOn', 'as it goes on'],
] as const
type Round = Record<(typeof PARTS)[number][0], Result>

await onGround({ count: QUIET + NOISY, ofOneAccount: NOISY }, async ({ people, databases, startServer }) => {
  const rows: object[] = []
  for (const database of databases) {
    const server = await startServer(database, { limited: true })
    const generator = new Generator(server)
    const playRound = async (length: number): Promise<Round> => {
      const alone = await quiet(generator, people, length)
      const noise = new Generator(server, { yielding: true })
      const begins = await quiet(generator, people, length, () => void noise.run(people.slice(QUIET), { kind: 'noise' }))
      const goesOn = await quiet(generator, people, length)
      noise.stop()
      return { alone, begins, goesOn }
    }
    for (let at = 0; at < WARMING.rounds; at++) await playRound(WARMING.seconds)
    const played: Round[] = []
    while (played.length < ROUNDS) played.push(await playRound(seconds))
    generator.stop()
    server.stop()
    const alone = spread(played, 'alone', 'p99').median
    for (const [part, name] of PARTS) {
      rows.push({
        server: database,
        'beside the noise': name,
        'p50 ms': shown(spread(played, part, 'p50')),
        'p99 ms': shown(spread(played, part, 'p99')),
        'p99 moves by': part === 'alone' ? '' : `${Math.round((spread(played, part, 'p99').median / alone - 1) * 100)} %`,
      })
    }
  }
  publish('noisy', { 'beside a noisy account': rows })
})
process.exit(0)

async function quiet(generator: Generator, people: readonly BenchDevice[], length: number, began = () => {}): Promise<Result> {
  const work = { kind: 'load', outstanding: 0, rate: RATE, warmUp: 2, seconds: length } as const
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
function spread(rounds: readonly Round[], part: keyof Round, which: keyof Result['delivery']): Spread {
  const ordered = rounds.map((round) => round[part].delivery[which]).toSorted((left, right) => left - right)
  return { least: ordered[0] ?? 0, median: ordered[ordered.length >> 1] ?? 0, most: ordered.at(-1) ?? 0 }
}

function shown({ least, median, most }: Spread): string {
  return `${least} / ${median} / ${most}`
}
