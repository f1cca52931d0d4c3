/** The load generator, a process of its own so that the server's CPU time is the server's. Started by harness.ts. */
import { FloorClient, RelayClient, type Client, type Watch } from './client.ts'
import { makeNoise } from './noise.ts'
import { quantiles, type Assignment, type Report, type Result, type Work } from './talk.ts'

/** Whoever started it may be gone. */
const report = (message: Report): void => void (process.connected && process.send?.(message))
const connected: Client[] = []
let accepted: number[] = []
let delivered: number[] = []
let deliveries = 0
let settled: (client: Client) => void = () => undefined
/** Set while messages are for everybody: then only the last member who has one is timed. */
let heard: ((number: number) => void) | undefined

/** One after the other: what was measured is reported before the last of it is answered. */
let working: Promise<void> = Promise.resolve()
process.on('message', (assignment: Assignment) => {
  working = working.then(() => run(assignment)).catch((error: unknown) => report({ kind: 'failed', why: String(error) }))
})

async function run(assignment: Assignment): Promise<void> {
  const { work, devices } = assignment
  if (work.kind === 'noise') return makeNoise(assignment)
  if (work.kind === 'drain') return drain(assignment, work.each)
  await connectUpTo(work.kind === 'idle' ? work.devices : devices.length, assignment)
  if (work.kind === 'enqueue') return enqueue(work.each)
  if (work.kind === 'idle') return report({ kind: 'done' })
  await measure(work)
}

async function measure(work: Extract<Work, { kind: 'load' | 'fanout' }>): Promise<void> {
  const stop =
    work.kind === 'fanout'
      ? keepFanningOut(work.outstanding)
      : work.rate === undefined
        ? keepOutstanding(work.outstanding)
        : keepRate(work.rate)
  const acknowledging = setInterval(() => connected.forEach((client) => client.acknowledge()), 20)
  await pause(work.warmUp)
  ;[accepted, delivered, deliveries] = [[], [], 0]
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  report({ kind: 'measuring' })
  await pause(work.seconds)
  report({ kind: 'measured', result: resultSince(began, cpu) })
  stop()
  while (connected.some(({ outstanding }) => outstanding > 0)) await pause(0.05)
  connected.forEach((client) => client.acknowledge())
  clearInterval(acknowledging)
}

/** A few at a time, as people would come. */
async function connectUpTo(wanted: number, { url, server, devices, work }: Assignment): Promise<void> {
  const senders = new Map<string, Client>()
  for (const [at, client] of connected.entries()) senders.set(devices[at]?.device ?? '', client)
  while (connected.length < wanted) {
    const next = devices.slice(connected.length, Math.min(wanted, connected.length + 50))
    const clients = await Promise.all(
      next.map((self) => {
        const watch = watchOf(senders, () => senders.get(self.device))
        return server === 'relay'
          ? RelayClient.connect(url, { self, watch })
          : FloorClient.connect(url, {
              self,
              watch,
              kind: server === 'keeping floor' ? 'keep' : work.kind === 'fanout' ? 'forAll' : 'echo',
            })
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
  delivered(sender, number) {
    deliveries += 1
    if (heard) return heard(number)
    const began = senders.get(sender)?.startOf(number)
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

/** The first device sends. Of each message only the last member who has it is timed. */
function keepFanningOut(outstanding: number): () => void {
  const [sender] = connected
  const missing = new Map<number, number>()
  let going = true
  const next = (): void => {
    if (!sender || !going) return
    missing.set(sender.number + 1, connected.length - 1)
    sender.send()
  }
  heard = (number) => {
    const left = (missing.get(number) ?? 0) - 1
    missing.set(number, left)
    if (left !== 0) return
    missing.delete(number)
    const began = sender?.startOf(number)
    if (began !== undefined) delivered.push(performance.now() - began)
    next()
  }
  for (let at = 0; at < outstanding; at++) next()
  return () => {
    going = false
  }
}

async function enqueue(each: number): Promise<void> {
  report({ kind: 'measuring' })
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  settled = (client) => void (client.number < each && client.send())
  for (const client of connected) for (let at = 0; at < Math.min(each, 16); at++) client.send()
  while (accepted.length < each * connected.length) await pause(0.01)
  report({ kind: 'measured', result: resultSince(began, cpu) })
}

/** All come at once, as after the server was gone. */
async function drain({ url, devices }: Assignment, each: number): Promise<void> {
  report({ kind: 'measuring' })
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  const watch: Watch = { ...watchOf(new Map(), () => undefined), delivered: () => void (deliveries += 1) }
  const clients = await Promise.all(devices.map((self) => RelayClient.connect(url, { self, watch, drains: true })))
  while (clients.some(({ seen }) => seen < each)) await pause(0.005)
  report({ kind: 'measured', result: resultSince(began, cpu) })
}

function resultSince(began: number, cpu: NodeJS.CpuUsage): Result {
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
