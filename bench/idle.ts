/**
 * What somebody costs who is connected and says nothing: `npm run bench:idle`. Resident memory per socket over the server
 * without any, 1,000 and 10,000 of them, signed in and caught up, beside a bare `ws` server.
 */
import { Generator, onGround, pause, publish, round, type RunningServer } from './relay/harness.ts'

const STEPS = (process.env['BENCH_IDLE'] ?? '1000,10000').split(',').map(Number)

await onGround({ count: Math.max(...STEPS) }, async (ground) => {
  const rows: object[] = []
  const floors = new Map<number, number>()
  for (const contender of ['floor', ...ground.databases] as const) {
    const server = await ground.startServer(contender)
    const generator = new Generator(server)
    await pause(2)
    const base = server.resident()
    for (const connections of STEPS) {
      const { microseconds, took } = await connect(server, generator, { people: ground.people, connections })
      await pause(5)
      const kib = round((server.resident() - base) / 1024 / connections)
      if (contender === 'floor') floors.set(connections, kib)
      const last = STEPS[STEPS.indexOf(connections) - 1] ?? 0
      rows.push({
        server: contender,
        connections,
        'KiB each': kib,
        'of bare ws': round(kib / (floors.get(connections) ?? kib)),
        'connects/s': Math.round((connections - last) / took),
        'server µs per connect': round(microseconds / (connections - last)),
      })
    }
    generator.stop()
    server.stop()
  }
  publish('idle', { 'connected and silent': rows })
})
process.exit(0)

async function connect(
  server: RunningServer,
  generator: Generator,
  { people, connections }: { people: Parameters<Generator['run']>[0]; connections: number },
): Promise<{ microseconds: number; took: number }> {
  const [began, before] = [performance.now(), server.spent()]
  await generator.run(people, { kind: 'idle', devices: connections })
  return { microseconds: server.spent() - before, took: (performance.now() - began) / 1000 }
}
