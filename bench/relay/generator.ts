/** The load generator, a process of its own so that the server's CPU time is the server's. Started by bench/relay.ts. */
import { EchoClient, RelayClient, type Client, type Watch } from './client.ts'
import { quantiles, type Assignment, type LoadResult, type Report } from './talk.ts'

const report = (message: Report): void => void process.send?.(message)
const connected: Client[] = []
let accepted: number[] = []
let delivered: number[] = []
let deliveries = 0
let settled: (client: Client) => void = () => undefined

process.on('message', (assignment: Assignment) => {
  run(assignment).catch((error: unknown) => report({ kind: 'failed', why: String(error) }))
})

async function run(assignment: Assignment): Promise<void> {
  const { work, devices } = assignment
  const wanted = work.kind === 'idle' ? work.devices : devices.length
  await connectUpTo(wanted, assignment)
  report({ kind: 'connected' })
  if (work.kind === 'idle') return
  const stop = work.rate === undefined ? keepOutstanding(work.outstanding) : keepRate(work.rate)
  const acknowledging = setInterval(() => connected.forEach((client) => client.acknowledge()), 20)
  await pause(work.warmUp)
  ;[accepted, delivered, deliveries] = [[], [], 0]
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  report({ kind: 'measuring' })
  await pause(work.seconds)
  const result = resultSince(began, cpu)
  report({ kind: 'measured', result })
  stop()
  while (connected.some(({ outstanding }) => outstanding > 0)) await pause(0.05)
  connected.forEach((client) => client.acknowledge())
  clearInterval(acknowledging)
}

/** A few at a time, as people would come. */
async function connectUpTo(wanted: number, { url, server, devices }: Assignment): Promise<void> {
  const senders = new Map<string, Client>()
  for (const [at, client] of connected.entries()) senders.set(devices[at]?.device ?? '', client)
  while (connected.length < wanted) {
    const next = devices.slice(connected.length, Math.min(wanted, connected.length + 50))
    const clients = await Promise.all(
      next.map((self) => {
        const watch = watchOf(senders, () => senders.get(self.device))
        return server === 'relay' ? RelayClient.connect(url, { self, watch }) : EchoClient.connect(url, { watch })
      }),
    )
    for (const [at, client] of clients.entries()) senders.set(next[at]?.device ?? '', client)
    connected.push(...clients)
  }
}

const watchOf = (senders: ReadonlyMap<string, Client>, own: () => Client | undefined): Watch => ({
  accepted(took) {
    accepted.push(took)
    const client = own()
    if (client) settled(client)
  },
  delivered(sender, clientSeq) {
    deliveries += 1
    const began = senders.get(sender)?.startOf(clientSeq)
    if (began !== undefined) delivered.push(performance.now() - began)
  },
  failed: (why) => report({ kind: 'failed', why }),
})

function keepOutstanding(outstanding: number): () => void {
  settled = (client) => client.send()
  for (const client of connected) for (let at = 0; at < outstanding; at++) client.send()
  return () => (settled = () => undefined)
}

/** Evenly over time and devices, however late the timer is. */
function keepRate(rate: number): () => void {
  settled = () => undefined
  const began = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    for (const due = ((performance.now() - began) / 1000) * rate; sent < due; sent++) connected[sent % connected.length]?.send()
  }, 1)
  return () => clearInterval(timer)
}

function resultSince(began: number, cpu: NodeJS.CpuUsage): LoadResult {
  const { user, system } = process.cpuUsage(cpu)
  return {
    seconds: (performance.now() - began) / 1000,
    accepted: accepted.length,
    delivered: deliveries,
    acceptance: quantiles(accepted),
    delivery: quantiles(delivered),
    generatorMicroseconds: user + system,
  }
}

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000))
