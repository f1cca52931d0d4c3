import type { AccountId, ConversationId } from '@tacit/contract'
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { systemRandom } from '../random.ts'
import { busConformance } from './conformance.ts'
import { RedisBus, type RedisBusDeps } from './redis.ts'
import { newPrefix, openLink, redisUrl } from './redis.test-support.ts'

const conversation = 'AAAAAAAAAAAAAAAAAAAAAA' as ConversationId
const account = 'AAAAAAAAAAAAAAAAAAAAAg' as AccountId

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A server's bus on the run's Redis. */
async function openBus(prefix: string, deps: Partial<RedisBusDeps> = {}) {
  const link = await openLink(prefix)
  const faults: unknown[] = []
  const bus = new RedisBus({
    link,
    node: systemRandom.id(),
    clock: systemClock,
    onFault: (error) => faults.push(error),
    onDoubt: () => undefined,
    ...deps,
  })
  closing.push(() => {
    bus.stop()
    link.close()
  })
  return { bus, faults, link }
}

/** Resolves when everything that `from` has rung so far was heard by `to`. */
async function settled(from: RedisBus, to: RedisBus): Promise<void> {
  const mark = systemRandom.id() as AccountId
  const heard = Promise.withResolvers<void>()
  const stop = to.listen('sharing_changed', (notice) => void (notice.account === mark && heard.resolve()))
  const again = setInterval(() => from.ring({ kind: 'sharing_changed', account: mark }), 20)
  await heard.promise
  clearInterval(again)
  stop()
}

describe.skipIf(!redisUrl)('the bus of several servers', () => {
  describe('to the server that rings', () => {
    busConformance(async () => {
      const { bus, faults } = await openBus(newPrefix())
      return { ringing: bus, listening: bus, faults, settled: () => Promise.resolve() }
    })
  })

  describe('to another server', () => {
    busConformance(async () => {
      const prefix = newPrefix()
      const [one, other] = [await openBus(prefix), await openBus(prefix)]
      await settled(one.bus, other.bus)
      return { ringing: one.bus, listening: other.bus, faults: other.faults, settled: () => settled(one.bus, other.bus) }
    })
  })

  test('rings at the own server at once, without waiting for Redis', async () => {
    const { bus } = await openBus(newPrefix())
    const heard: number[] = []
    bus.listen('log', ({ head }) => heard.push(head))
    bus.ring({ kind: 'log', conversation, head: 4 })
    expect(heard).toEqual([4])
  })

  test('does not reach another installation on the same Redis', async () => {
    const [here, there] = [await openBus(newPrefix()), await openBus(newPrefix())]
    const heard: unknown[] = []
    there.bus.listen('log', (notice) => heard.push(notice))
    here.bus.ring({ kind: 'log', conversation, head: 1 })
    await settled(here.bus, here.bus)
    there.bus.ring({ kind: 'log', conversation, head: 2 })
    await settled(there.bus, there.bus)
    expect(heard).toEqual([{ kind: 'log', conversation, head: 2 }])
  })

  test('what was written down is heard once, whether the doorbell or the database comes first', async () => {
    const prefix = newPrefix()
    const [one, other] = [await openBus(prefix), await openBus(prefix)]
    await settled(one.bus, other.bus)
    const heard: AccountId[] = []
    other.bus.listen('sharing_changed', (notice) => void (notice.account === account && heard.push(account)))
    other.bus.hearWritten([{ notice: { kind: 'sharing_changed', account }, id: 'first' }])
    one.bus.ring({ kind: 'sharing_changed', account }, 'first')
    one.bus.ring({ kind: 'sharing_changed', account }, 'second')
    await settled(one.bus, other.bus)
    other.bus.hearWritten([{ notice: { kind: 'sharing_changed', account }, id: 'second' }])
    expect(heard).toEqual([account, account])
  })

  test('what is no message of ours is left alone', async () => {
    const { bus, link, faults } = await openBus(newPrefix())
    for (const rubbish of ['', 'no CBOR', '\x81\x07', 'a head that is long enough, and no CBOR'])
      await link.ask((redis) => redis.publish(`${link.prefix}bell.1`, rubbish))
    await settled(bus, bus)
    expect(faults).toEqual([])
  })
})

/** Two buses and what lies between them, by hand: no Redis is needed to lose something. */
function street() {
  const clock = { time: 1_000_000, now: () => clock.time }
  const listeners: ((message: Uint8Array) => void)[] = []
  const weather = { isUp: true, loses: false, waits: [] as Uint8Array[], holds: false }
  const deliver = (message: Uint8Array): void => {
    if (weather.loses) return
    if (weather.holds) weather.waits.push(message)
    else for (const listener of listeners) listener(message)
  }
  const publisher = { publish: (_: string, message: Uint8Array) => Promise.resolve(deliver(message)) }
  const doubts: string[] = []
  const open = (node: string): RedisBus => {
    const link = {
      prefix: '',
      get isUp() {
        return weather.isUp
      },
      ask: (work: (redis: never) => Promise<unknown>) => work(publisher as never) as Promise<never>,
      listen: (_: string, listener: (message: Uint8Array) => void) => void listeners.push(listener),
    }
    return new RedisBus({ link, node, clock, onFault: () => undefined, onDoubt: () => void doubts.push(node.trim()) })
  }
  const [here, there] = [open('here'.padEnd(22)), open('there'.padEnd(22))]
  /** Lets time pass, with the beats of both. */
  const pass = async (milliseconds: number, beating: readonly RedisBus[] = [here, there]): Promise<void> => {
    for (const end = clock.time + milliseconds; clock.time < end;) {
      clock.time += 500
      for (const bus of beating) bus.beat(clock.time)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const doubtful = () => [here.isDoubtful(clock.time), there.isDoubtful(clock.time)]
  return { clock, weather, doubts, here, there, pass, doubtful }
}

describe('doubt', () => {
  test('is there at the start, and goes when doorbells come through for a while', async () => {
    const { pass, doubtful } = street()
    await pass(1000)
    expect(doubtful()).toEqual([true, true])
    await pass(15_000)
    expect(doubtful()).toEqual([false, false])
  })

  test('comes up at the listener when a single message is missing, with the next one', async () => {
    const { here, clock, weather, pass, doubtful } = street()
    await pass(15_000)
    weather.loses = true
    here.ring({ kind: 'log', conversation, head: 1 })
    await new Promise((resolve) => setTimeout(resolve, 1))
    weather.loses = false
    await pass(500)
    expect(doubtful()).toEqual([false, true])
    expect(here.isUnheard(clock.time)).toBe(false)
  })

  test('comes up on both sides when Redis takes messages and nobody gets them, and the server knows that it is not heard', async () => {
    const { here, there, clock, weather, pass, doubtful } = street()
    await pass(15_000)
    weather.loses = true
    await pass(2000)
    expect(doubtful()).toEqual([true, true])
    expect([here.isUnheard(clock.time), there.isUnheard(clock.time)]).toEqual([true, true])
  })

  test('comes up when messages are late', async () => {
    const { weather, pass, doubtful } = street()
    await pass(15_000)
    weather.holds = true
    await pass(1500)
    expect(doubtful()).toEqual([true, true])
  })

  test('comes up when another server falls silent, and ends when it is gone for good', async () => {
    const { here, pass, doubtful } = street()
    await pass(15_000)
    await pass(3000, [here])
    expect(doubtful()[0]).toBe(true)
    await pass(80_000, [here])
    expect(doubtful()[0]).toBe(false)
  })

  test('comes up while there is no Redis and right after it came back, with a word to whoever reads', async () => {
    const { weather, doubts, pass, doubtful } = street()
    await pass(15_000)
    weather.isUp = false
    doubts.length = 0
    await pass(500)
    expect(doubts).toEqual(['here', 'there'])
    await pass(30_000)
    weather.isUp = true
    await pass(1000)
    expect(doubtful()).toEqual([true, true])
  })

  test('comes up at the others when a server writes down that nobody hears it', async () => {
    const { there, pass, doubtful } = street()
    await pass(15_000)
    there.hearWritten([{ notice: { kind: 'unheard', node: 'somewhere' }, id: '1' }])
    expect(doubtful()).toEqual([false, true])
  })
})
