/**
 * What carrying a message costs: `npm run bench:relay`. The real server on SQLite with synchronous=FULL and on PostgreSQL with
 * synchronous_commit=on, 200 devices in pairs, 300 bytes of sealed payload, durable before it is acknowledged, everything
 * delivered to both devices of a pair. Beside it, in turns in the same run, a relay with nothing around it on the same disk
 * (relay/floor-server.ts): of that one it is known what it took on the machine that the goals come from (`there`), so a figure
 * can be told as it would be there. Then what a bare `ws` server and bare batched inserts manage.
 */
import { Contestant, median, spread, type Figures } from './relay/contestant.ts'
import { insertFloor, socketFloor } from './relay/floors.ts'
import { mib, onGround, publish, round, seconds, type Database, type Ground } from './relay/harness.ts'
import type { Load } from './relay/talk.ts'

const DEVICES = 200
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 4)

/** What a relay and nothing else took there. */
type There = Partial<Record<'perSecond' | 'microseconds' | 'p99', number>>

interface Workload {
  readonly name: string
  readonly load: Pick<Load, 'outstanding' | 'rate'>
  readonly together: number
  readonly there?: There
}

/** Each with people of its own, whose logs are empty. */
const workloads: readonly Workload[] = [
  { name: 'pipelined, 16 under way each', load: { outstanding: 16 }, together: 2, there: { perSecond: 200_000, microseconds: 4.2 } },
  { name: 'one at a time', load: { outstanding: 1 }, together: 2, there: { perSecond: 47_000, microseconds: 19 } },
  { name: '2000 a second', load: { outstanding: 0, rate: 2000 }, together: 2, there: { p99: 1.07 } },
  { name: '500 a second', load: { outstanding: 0, rate: 500 }, together: 2 },
  { name: 'one hot conversation of 20', load: { outstanding: 16 }, together: 20 },
]

const pairs = Array.from({ length: ((workloads.length - 1) * DEVICES) / 2 }, () => 2)
await onGround({ count: (workloads.length - 1) * DEVICES + 20, together: [...pairs, 20] }, async (ground) => {
  const limits: object[] = []
  for (const outstanding of [16, 1])
    limits.push({ floor: `bare ws, ${outstanding} under way each`, ...(await socketFloor(ground, outstanding)) })
  const rows: object[] = []
  const besides: object[] = []
  for (const database of ground.databases) {
    const inserts = await insertFloor(database, ground)
    limits.push({ floor: `bare inserts, ${database}`, ...inserts })
    const contest = await contested(database, ground)
    rows.push(...contest.rows.map(({ perSecond, ...row }) => ({ ...row, 'of bare inserts': round(perSecond / inserts.perSecond) })))
    besides.push(...contest.besides)
  }
  publish('relay', {
    [`carrying messages, least / median / most of ${ROUNDS} rounds`]: rows,
    'beside a relay and nothing else, in turns': besides,
    'what the machine allows': limits,
  })
})
process.exit(0)

interface Row extends ReturnType<typeof figuresOf> {
  readonly server: Database
  readonly workload: string
}

/** All workloads on one database, each in turns with the floor where it has one; the floor is on SQLite. */
async function contested(database: Database, ground: Ground): Promise<{ rows: Row[]; besides: object[] }> {
  const [server, floor] = [await ground.startServer(database), await ground.startServer('keeping floor')]
  const [rows, besides]: [Row[], object[]] = [[], []]
  for (const [at, { name, load, together, there }] of workloads.entries()) {
    const people = ground.people.slice(at * DEVICES, at * DEVICES + (together === 2 ? DEVICES : together))
    const own = new Contestant(server, people, load)
    const other = database === 'sqlite' && there ? new Contestant(floor, people, load) : undefined
    for (let turn = 0; turn < ROUNDS; turn++) for (const one of [other, own]) await one?.round(seconds / ROUNDS)
    for (const one of [other, own]) one?.leave()
    rows.push({ server: database, workload: name, ...figuresOf(own) })
    if (other && there) besides.push({ workload: name, ...beside({ own, other, there }) })
  }
  server.stop()
  floor.stop()
  return { rows, besides }
}

function figuresOf(own: Contestant) {
  return {
    perSecond: median(own.all(({ perSecond }) => perSecond)),
    'accepted/s': spread(own.all(({ perSecond }) => perSecond)),
    'server µs': spread(
      own.all(({ microseconds }) => microseconds),
      1,
    ),
    'µs per delivery': round(median(own.all(({ perDelivery }) => perDelivery))),
    'accepted p50 ms': spread(
      own.all(({ acceptance }) => acceptance.p50),
      1,
    ),
    'delivered p50 ms': spread(
      own.all(({ delivery }) => delivery.p50),
      1,
    ),
    'delivered p99 ms': spread(
      own.all(({ delivery }) => delivery.p99),
      1,
    ),
    'generator µs': round(median(own.all(({ generatorMicroseconds }) => generatorMicroseconds))),
    'RSS MiB': mib(own.server.resident()),
  }
}

/** By the median of the rounds' ratios to the floor's round just before. */
function beside({ own, other, there }: { own: Contestant; other: Contestant; there: There }): object {
  const asThere = (figure: (round: Figures) => number, known: number | undefined) =>
    known === undefined ? '' : round(known * median(own.rounds.map((one, at) => figure(one) / figure(other.rounds[at] ?? one))))
  return {
    'floor/s': spread(other.all(({ perSecond }) => perSecond)),
    'floor µs': spread(
      other.all(({ microseconds }) => microseconds),
      1,
    ),
    'floor p99 ms': spread(
      other.all(({ delivery }) => delivery.p99),
      1,
    ),
    'as there: accepted/s': asThere(({ perSecond }) => perSecond, there.perSecond),
    'as there: µs': asThere(({ microseconds }) => microseconds, there.microseconds),
    'as there: p99 ms': asThere(({ delivery }) => delivery.p99, there.p99),
  }
}
