/**
 * What it costs to give one message to everybody who is online: `npm run bench:fanout`. Groups of 10, 100 and 1,000; one
 * member sends, the next message when all have the last one, then with eight under way. Beside a bare `ws` server that does
 * the same without storing anything.
 */
import { Generator, mib, onGround, publish, round, seconds, shown, type Ground, type RunningServer } from './relay/harness.ts'

const SIZES = [10, 100, 1000] as const
const OUTSTANDING = [1, 8] as const

const groups = SIZES.flatMap((size) => OUTSTANDING.map((outstanding) => ({ size, outstanding })))

await onGround({ count: groups.reduce((sum, { size }) => sum + size, 0), together: groups.map(({ size }) => size) }, async (ground) => {
  const rows: Row[] = []
  for (const contender of ['floor', ...ground.databases] as const) {
    for (const at of groups.keys()) {
      // One server for each group: the floor passes to everybody who is connected.
      const server = await ground.startServer(contender)
      rows.push(await measured(server, ground, at))
      server.stop()
    }
  }
  const floorOf = ({ members, 'under way': way }: Row): number =>
    rows.find((row) => row.server === 'floor' && row.members === members && row['under way'] === way)?.['µs per delivery'] ?? 0
  publish('fanout', { 'to everybody online': rows.map((row) => ({ ...row, 'of bare ws': round(row['µs per delivery'] / floorOf(row)) })) })
})
process.exit(0)

interface Row {
  readonly server: string
  readonly members: number
  readonly 'under way': number
  readonly 'messages/s': number
  readonly 'deliveries/s': number
  readonly 'server µs': number
  readonly 'µs per delivery': number
  readonly 'accepted p50/p99/p99.9 ms': string
  readonly 'last member p50/p99/p99.9 ms': string
  readonly 'RSS MiB': number
}

async function measured(server: RunningServer, { people }: Ground, at: number): Promise<Row> {
  const { size = 0, outstanding = 1 } = groups[at] ?? {}
  const before = groups.slice(0, at).reduce((sum, group) => sum + group.size, 0)
  const generator = new Generator(server)
  const { report, microseconds } = await generator.run(people.slice(before, before + size), {
    kind: 'fanout',
    outstanding,
    warmUp: 1,
    seconds,
  })
  generator.stop()
  if (report.kind !== 'measured') throw new Error('nothing was measured')
  const { result } = report
  return {
    server: server.contender,
    members: size,
    'under way': outstanding,
    'messages/s': Math.round(result.accepted / result.seconds),
    'deliveries/s': Math.round(result.delivered / result.seconds),
    'server µs': round(microseconds / result.accepted),
    'µs per delivery': round(microseconds / result.delivered),
    'accepted p50/p99/p99.9 ms': shown(result.acceptance),
    'last member p50/p99/p99.9 ms': shown(result.delivery),
    'RSS MiB': mib(server.resident()),
  }
}
