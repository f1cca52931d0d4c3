/**
 * What waits for those who are away, and how fast they get it: `npm run bench:offline`. 100 people each send 1,000 messages to
 * somebody who is not there; then all 100 of those come at once and stay until they have everything.
 */
import { insertFloor } from './relay/floors.ts'
import { Generator, mib, onGround, publish, round, shown, type RunningServer } from './relay/harness.ts'
import type { Result } from './relay/talk.ts'
import type { BenchDevice } from './relay/world.ts'

const PEOPLE = 100
const EACH = 1000

await onGround({ count: PEOPLE * 2 }, async (ground) => {
  const [senders, absent] = [0, 1].map((side) => ground.people.filter((_, at) => at % 2 === side))
  const rows: object[] = []
  for (const database of ground.databases) {
    const inserts = await insertFloor(database, ground)
    const server = await ground.startServer(database)
    const stored = await done(server, senders ?? [], 'enqueue')
    const drained = await done(server, absent ?? [], 'drain')
    const [enqueued, taken] = [
      Math.round(stored.result.accepted / stored.result.seconds),
      drained.result.delivered / drained.result.seconds,
    ]
    rows.push({
      server: database,
      'enqueued/s': enqueued,
      'server µs': round(stored.microseconds / stored.result.accepted),
      'accepted p50/p99/p99.9 ms': shown(stored.result.acceptance),
      'of bare inserts': round(enqueued / inserts.perSecond),
      'drained/s': Math.round(taken),
      'µs per delivery': round(drained.microseconds / drained.result.delivered),
      missing: PEOPLE * EACH - drained.result.delivered,
      'RSS MiB': mib(server.resident()),
    })
    server.stop()
  }
  publish('offline', { 'to those who are away': rows })
})
process.exit(0)

async function done(
  server: RunningServer,
  devices: readonly BenchDevice[],
  kind: 'enqueue' | 'drain',
): Promise<{ result: Result; microseconds: number }> {
  const generator = new Generator(server)
  const { report, microseconds } = await generator.run(devices, { kind, each: EACH })
  generator.stop()
  if (report.kind !== 'measured') throw new Error('nothing was measured')
  return { result: report.result, microseconds }
}
