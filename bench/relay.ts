/**
 * What carrying a message costs: `npm run bench:relay`. The real server on SQLite with synchronous=FULL and on PostgreSQL with
 * synchronous_commit=on, 200 devices in pairs, 300 bytes of sealed payload, durable before it is acknowledged, everything
 * delivered to both devices of a pair. Beside it, in the same run, what a bare `ws` server and bare batched inserts manage.
 */
import { insertFloor, keepingFloor, socketFloor } from './relay/floors.ts'
import { Generator, mib, onGround, publish, round, seconds, shown, type Ground, type RunningServer } from './relay/harness.ts'
import type { Load } from './relay/talk.ts'

const DEVICES = 200

const load = (outstanding: number, rate?: number): Load => ({
  kind: 'load',
  outstanding,
  warmUp: 2,
  seconds,
  ...(rate !== undefined && { rate }),
})

interface Workload {
  readonly name: string
  readonly work: Load
  readonly together: number
  /** What a relay and nothing else took on the machine that the goals come from. */
  readonly there?: string
}

/** Each with people of its own, whose logs are empty. */
const workloads: readonly Workload[] = [
  { name: 'pipelined, 16 under way each', work: load(16), together: 2, there: '200,000/s at 4.2 µs' },
  { name: 'one at a time', work: load(1), together: 2, there: '47,000/s at 19 µs' },
  { name: '2000 a second', work: load(0, 2000), together: 2, there: '0.31 / 1.07 ms' },
  { name: '500 a second', work: load(0, 500), together: 2 },
  { name: 'one hot conversation of 20', work: load(16), together: 20 },
]

const pairs = Array.from({ length: ((workloads.length - 1) * DEVICES) / 2 }, () => 2)
await onGround({ count: (workloads.length - 1) * DEVICES + 20, together: [...pairs, 20] }, async (ground) => {
  const rows: object[] = []
  const floors: object[] = []
  for (const outstanding of [16, 1])
    floors.push({ floor: `bare ws, ${outstanding} under way each`, ...(await socketFloor(ground, outstanding)) })
  for (const { name, work, there } of workloads.filter((one) => one.there !== undefined)) {
    const { delivery, ...floor } = await keepingFloor(ground, work)
    floors.push({ floor: `a relay and nothing else, ${name}`, ...floor, 'delivered p50/p99/p99.9 ms': shown(delivery), there })
  }
  for (const database of ground.databases) {
    const inserts = await insertFloor(database, ground)
    floors.push({ floor: `bare inserts, ${database}`, ...inserts })
    const server = await ground.startServer(database)
    for (const at of workloads.keys()) rows.push(await measured(server, ground, { at, inserts: inserts.perSecond }))
    server.stop()
  }
  publish('relay', { 'carrying messages': rows, 'what the machine allows': floors })
})
process.exit(0)

async function measured(server: RunningServer, { people }: Ground, { at, inserts }: { at: number; inserts: number }): Promise<object> {
  const { name = '', work = load(1), together = 2 } = workloads[at] ?? {}
  const devices = people.slice(at * DEVICES, at * DEVICES + (together === 2 ? DEVICES : together))
  const generator = new Generator(server)
  const { report, microseconds } = await generator.run(devices, work)
  generator.stop()
  if (report.kind !== 'measured') throw new Error('nothing was measured')
  const { result } = report
  const perSecond = Math.round(result.accepted / result.seconds)
  return {
    server: server.contender,
    workload: name,
    'accepted/s': perSecond,
    'server µs': round(microseconds / result.accepted),
    'µs per delivery': round(microseconds / result.delivered),
    'accepted p50/p99/p99.9 ms': shown(result.acceptance),
    'delivered p50/p99/p99.9 ms': shown(result.delivery),
    'of bare inserts': round(perSecond / inserts),
    'generator µs': round(result.generatorMicroseconds / result.accepted),
    'RSS MiB': mib(server.resident()),
  }
}
