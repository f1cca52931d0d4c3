/** What may happen while a socket waits for an answer: to the look-up of its token, or to its commands. Both are held open by hand. */
import { createServer } from 'node:http'
import { AccountId, closeCodes, ConversationId, CONTRACT_VERSION, DeviceId, Refusal, SessionId } from '@tacit/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createInProcessBus } from '../bus/in-process.ts'
import { systemClock, systemElapsed } from '../clock.ts'
import { portOf } from '../metrics.ts'
import { systemRandom } from '../random.ts'
import { Device } from './device.test-support.ts'
import { Lines } from './lines.ts'
import { createOrigins } from './origins.ts'
import { settingsWith } from '../settings.ts'
import { SocketGateway } from './socket.ts'
import { socketLimits } from './socket-limits.ts'
import type { TokenOwner } from './socket-session.ts'

/** Acknowledgements that were asked for, and the word on which they are answered. */
let asked = 0
/** The most of them that came in one turn of the loop, and those of this one. */
let [mostInTurn, inTurn] = [0, 0]
/** When a turn was refused, and when the newest acknowledgement was read: at the server, however late the device hears of it. */
let [refusedAt, readAt] = [0, 0]
let word = Promise.withResolvers<Record<string, never>>()
/** How long the server works on an acknowledgement, milliseconds. */
let toil = 0

const noRoom = (): Promise<never> => Promise.reject(new Refusal('not_found'))
const commands = {
  handlers: {
    'conversations.commit': noRoom,
    'conversations.acknowledgeWelcomes': noRoom,
    'delivery.resume': noRoom,
    'delivery.send': noRoom,
    'delivery.nack': noRoom,
    'delivery.acknowledge': () => {
      asked += 1
      readAt = performance.now()
      while (performance.now() < readAt + toil);
      if (inTurn === 0) setImmediate(() => (inTurn = 0))
      inTurn += 1
      mostInTurn = Math.max(mostInTurn, inTurn)
      return word.promise
    },
    'signals.send': noRoom,
    'turns.ask': () => {
      refusedAt = performance.now()
      return Promise.reject(new Refusal('rate_limited', { retryAfter: 1 }))
    },
  },
  prune: () => undefined,
}

/** Look-ups of tokens that wait for the test's word. */
const lookUps: ((owner: TokenOwner) => void)[] = []
let server: ReturnType<typeof createServer>
let gateway: SocketGateway
let url: string

beforeEach(async () => {
  asked = 0
  mostInTurn = 0
  toil = 0
  word = Promise.withResolvers()
  server = createServer()
  gateway = new SocketGateway({
    bus: createInProcessBus(() => undefined),
    openLine: () => Promise.resolve(0),
    newestLines: () => Promise.resolve(new Map()),
    onFault: () => undefined,
    clock: systemClock,
    elapsed: systemElapsed,
    random: systemRandom,
    log: () => undefined,
    lag: { shedding: 'nothing' },
    limits: socketLimits(1),
    lines: new Lines(),
    commands,
    origins: createOrigins(settingsWith({})),
    address: () => '127.0.0.1',
    delivery: { wake: () => undefined, close: () => undefined, settled: () => Promise.resolve() },
    presence: { left: () => undefined, sweep: () => undefined },
    turns: { sweep: () => undefined },
    authenticate: () => new Promise((resolve) => void lookUps.push(resolve)),
  })
  gateway.attach(server)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${portOf(server)}`
})
afterEach(async () => {
  lookUps.length = 0
  await gateway.close(0)
  server.close()
})

const owner = (): TokenOwner => ({
  account: AccountId.parse(systemRandom.id()),
  device: DeviceId.parse(systemRandom.id()),
  session: SessionId.parse(systemRandom.id()),
  expiresAt: systemClock.now() + 60_000,
})

/** Resolves with what lets the oldest waiting look-up answer. */
const nextLookUp = async (): Promise<(found: TokenOwner) => void> => {
  const answer = lookUps.shift()
  if (answer) return answer
  await new Promise((resolve) => setImmediate(resolve))
  return nextLookUp()
}

/** A device whose hello was answered. */
async function introduced(as: TokenOwner = owner()): Promise<Device> {
  const device = await Device.open({ url })
  const hello = device.hello('A'.repeat(43))
  ;(await nextLookUp())(as)
  await hello
  return device
}

test('a session that is revoked while the hello is checked gets no socket', async () => {
  const device = await Device.open({ url })
  const alice = owner()
  const outcome = device.outcome('connection.hello', { accessToken: 'A'.repeat(43), contract: CONTRACT_VERSION })
  const answer = await nextLookUp()
  gateway.revoke(alice.session)
  answer(alice)
  expect(await outcome).toBe('unauthenticated')
  expect(await device.closed).toBe(closeCodes.unauthenticated)
})

test('a session that is revoked while the renewal is checked loses its socket', async () => {
  const alice = owner()
  const device = await introduced(alice)
  const renewed = { ...alice, session: SessionId.parse(systemRandom.id()) }
  const outcome = device.outcome('connection.renew', { accessToken: 'B'.repeat(43) })
  const answer = await nextLookUp()
  gateway.revoke(renewed.session)
  answer(renewed)
  expect(await outcome).toBe('unauthenticated')
  expect(await device.closed).toBe(closeCodes.unauthenticated)
})

test('another session that is revoked meanwhile changes nothing', async () => {
  const device = await Device.open({ url })
  const outcome = device.outcome('connection.hello', { accessToken: 'A'.repeat(43), contract: CONTRACT_VERSION })
  const answer = await nextLookUp()
  gateway.revoke(owner().session)
  answer(owner())
  expect(await outcome).toBe('accepted')
})

test('frames may wait while a token is checked, but not more than 32', async () => {
  const device = await Device.open({ url })
  void device.outcome('connection.hello', { accessToken: 'A'.repeat(43), contract: CONTRACT_VERSION })
  const answer = await nextLookUp()
  for (let at = 0; at < 33; at++) void device.ask('delivery.acknowledge', { cursors: [] }).catch(() => undefined)
  expect(await device.closed).toBe(closeCodes.flooding)
  answer(owner())
})

test('a socket with 256 commands that are not answered is not read until they are', async () => {
  const device = await introduced()
  const conversation = ConversationId.parse(systemRandom.id())
  // Large enough that few of them fit into what was read already.
  const cursors = Array.from({ length: 140 }, (_, seq) => ({ conversation, seq }))
  const outcomes = Array.from({ length: 300 }, () => device.outcome('delivery.acknowledge', { cursors }))
  await expect.poll(() => asked, { timeout: 20_000 }).toBeGreaterThanOrEqual(256)
  const other = await introduced()
  expect(asked).toBeLessThan(290)
  word.resolve({})
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['accepted']))
  for (const { socket } of [device, other]) socket.terminate()
})

test('of a socket that brings much at once a part is read in each turn, so that others have theirs', async () => {
  const device = await introduced()
  const conversation = ConversationId.parse(systemRandom.id())
  const cursors = Array.from({ length: 140 }, (_, seq) => ({ conversation, seq }))
  const outcomes = Array.from({ length: 250 }, () => device.outcome('delivery.acknowledge', { cursors }))
  await expect.poll(() => asked, { timeout: 20_000 }).toBe(250)
  expect(mostInTurn).toBeLessThan(80)
  word.resolve({})
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['accepted']))
  device.socket.terminate()
})

test('of an account that brings much with all its devices one is read in each turn', async () => {
  word.resolve({})
  const alice = owner()
  const devices = await Promise.all(Array.from({ length: 8 }, () => introduced({ ...alice, device: DeviceId.parse(systemRandom.id()) })))
  const conversation = ConversationId.parse(systemRandom.id())
  const cursors = Array.from({ length: 140 }, (_, seq) => ({ conversation, seq }))
  // So that what all of them bring is there at the server before anything of it is read.
  toil = 1
  const outcomes = devices.flatMap((device) => Array.from({ length: 25 }, () => device.outcome('delivery.acknowledge', { cursors })))
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['accepted']))
  expect(mostInTurn).toBeLessThan(50)
  for (const { socket } of devices) socket.terminate()
})

test('while those who bring much are read, most of the time is left to others', async () => {
  toil = 2
  word.resolve({})
  const conversation = ConversationId.parse(systemRandom.id())
  const cursors = Array.from({ length: 140 }, (_, seq) => ({ conversation, seq }))
  const noisy = await Promise.all([introduced(), introduced()])
  const before = performance.eventLoopUtilization()
  const outcomes = noisy.flatMap((device) => Array.from({ length: 150 }, () => device.outcome('delivery.acknowledge', { cursors })))
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['accepted']))
  expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.7)
  for (const { socket } of noisy) socket.terminate()
})

test('what an account brings is bounded, with however many devices: it waits and loses nothing, and nobody else waits', async () => {
  const alice = owner()
  const devices = await Promise.all([introduced(alice), introduced({ ...alice, device: DeviceId.parse(systemRandom.id()) })])
  const other = await introduced()
  const message = { conversation: ConversationId.parse(systemRandom.id()), epoch: 0, clientSeq: 1, bytes: new Uint8Array(60_000) }
  const { burst, perSecond } = socketLimits(1).bytes
  const began = performance.now()
  const all = Promise.all(devices.flatMap((device) => Array.from({ length: 12 }, () => device.outcome('delivery.send', message))))
  const others: number[] = []
  const answered = all.then(() => true)
  while (!(await Promise.race([answered, other.outcome('delivery.send', { ...message, bytes: new Uint8Array(100) }).then(() => false)]))) {
    others.push(performance.now())
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  expect(new Set(await all)).toEqual(new Set(['not_found']))
  const seconds = (performance.now() - began) / 1000
  expect(seconds).toBeGreaterThan((0.8 * (24 * 60_000 - 60_000 - burst)) / perSecond)
  expect(others.length).toBeGreaterThan(5)
  for (const { socket } of [...devices, other]) socket.terminate()
})

test('a socket that was refused for a spent budget is not read for a while, and loses nothing', async () => {
  word.resolve({})
  const device = await introduced()
  const conversation = ConversationId.parse(systemRandom.id())
  expect(await device.outcome('turns.ask', { conversation, epoch: 0, work: 'update' })).toBe('rate_limited')
  expect(await device.outcome('delivery.acknowledge', { cursors: [] })).toBe('accepted')
  expect(readAt - refusedAt).toBeGreaterThan(socketLimits(1).restsFor / 2)
  device.socket.terminate()
})
