/**
 * Two real server processes on one PostgreSQL and one Redis, devices with the real SDK on both: what people see while servers are
 * killed and restarted, and while Redis is killed, emptied and started again.
 */
import type { ConversationId } from '@tacit/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openClusterWorld, type ClusterDevice, type ClusterWorld } from './cluster-world.ts'
import { until } from './index.ts'
import { findRedis } from './redis-process.ts'
import { textsOf } from './world-device.ts'

const [HERE, THERE] = [0, 1]

/** What a message between two servers may take while Redis is gone, milliseconds. */
const SLOWEST = 3000

/** Nothing of these is quick on a machine that does other things as well, milliseconds. */
const PATIENCE = { timeout: 120_000 }

describe.skipIf(!findRedis() && !process.env['CI'])('two servers', () => {
  let world: ClusterWorld
  let [alice, bob]: ClusterDevice[] = []
  let conversation: ConversationId
  const said: string[] = []

  beforeAll(async () => {
    world = await openClusterWorld({ servers: 2 })
    await world.health('ok')
    ;[alice, bob] = [await world.signedUp('Alice', HERE), await world.signedUp('Bob', THERE)]
    conversation = await hers().startDirect({ handle: 'bob' })
    await his().conversation('Alice')
  }, 120_000)
  afterAll(() => world?.[Symbol.asyncDispose]())

  const someone = (device: ClusterDevice | undefined): ClusterDevice => {
    if (!device) throw new TypeError('expected the cast')
    return device
  }
  const hers = (): ClusterDevice => someone(alice)
  const his = (): ClusterDevice => someone(bob)

  /** Says something and resolves, with the milliseconds that it took, when the other one sees it. */
  async function say(from: ClusterDevice, to: ClusterDevice): Promise<number> {
    const text = `${from.name} ${said.length}`
    said.push(text)
    const began = performance.now()
    await from.send({ conversation, text })
    await until(to.watch('timeline', conversation), (timeline) => textsOf(timeline?.items ?? []).includes(text))
    return performance.now() - began
  }
  const sayBothWays = async (): Promise<number> => Math.max(await say(hers(), his()), await say(his(), hers()))

  /** Both see everything that was said, once, in the same order. */
  async function agree(): Promise<void> {
    const everything = (device: ClusterDevice) =>
      until(device.watch('timeline', conversation), (timeline) => textsOf(timeline?.items ?? []).length === said.length)
    const [one, other] = await Promise.all([everything(hers()), everything(his())])
    expect(textsOf(one?.items ?? []).toSorted()).toEqual(said.toSorted())
    expect(textsOf(other?.items ?? [])).toEqual(textsOf(one?.items ?? []))
  }

  test('carry a conversation: messages, ticks, typing, presence', PATIENCE, async () => {
    await sayBothWays()
    await hers().messageBecomes(conversation, said[0] ?? '', 'delivered')
    await his().setTyping({ conversation, typing: true })
    await until(hers().watch('timeline', conversation), (timeline) => timeline?.typing.some(({ handle }) => handle === 'Bob') ?? false)
    await Promise.all([hers().setPresenceSharing({ on: true }), his().setPresenceSharing({ on: true })])
    await until(hers().watch('conversations'), (list) => list?.[0]?.peerOnline === true)
    await until(his().watch('conversations'), (list) => list?.[0]?.peerOnline === true)
  })

  test('let a person’s devices be at both, and show each what the other says', PATIENCE, async () => {
    const second = await world.signedIn('Alice', THERE)
    await until(second.watch('conversations'), (list) => list?.some((one) => one.standing === 'active') ?? false)
    await say(hers(), his())
    await until(second.watch('timeline', conversation), (timeline) => textsOf(timeline?.items ?? []).includes(said.at(-1) ?? ''))
    await second.signOut()
    await sayBothWays()
  })

  test('lose no word when Redis is killed in the middle, and take no longer than three seconds for each', PATIENCE, async () => {
    await world.redis.kill()
    const took: number[] = []
    for (let round = 0; round < 8; round++) took.push(await sayBothWays())
    await world.health('degraded')
    console.log(`without Redis the slowest of ${took.length * 2} messages took ${Math.round(Math.max(...took))} ms`)
    expect(Math.max(...took)).toBeLessThan(SLOWEST)
    await world.redis.restart()
    await world.health('ok')
    await sayBothWays()
    await agree()
  })

  test('do not care when Redis forgets everything, and show who is online again', PATIENCE, async () => {
    await world.redis.flush()
    expect(await sayBothWays()).toBeLessThan(SLOWEST)
    await until(hers().watch('conversations'), (list) => list?.[0]?.peerOnline === true)
  })

  test('go on when Redis hangs and nobody closes a connection', PATIENCE, async () => {
    world.redis.freeze()
    for (let round = 0; round < 3; round++) expect(await sayBothWays()).toBeLessThan(SLOWEST)
    await world.health('degraded')
    world.redis.thaw()
    await world.health('ok')
    await sayBothWays()
  })

  test('one of them killed: its people go on at the other, and no word is lost or doubled', PATIENCE, async () => {
    const killed = world.servers[THERE]?.kill()
    const before = said.length
    const [took] = await Promise.all([say(his(), hers()), killed])
    for (let round = 0; round < 3; round++) await sayBothWays()
    console.log(`after the kill the first message took ${Math.round(took)} ms`)
    expect(said.length).toBe(before + 7)
    await agree()
    await world.servers[THERE]?.restart()
    await world.health('ok')
    await his().restart()
    await sayBothWays()
  })

  test('restarted one after the other while people write: nothing fails, nothing is lost', PATIENCE, async () => {
    for (const at of [HERE, THERE]) {
      const server = world.servers[at]
      const stopping = server?.stop()
      const talk = Promise.all([say(hers(), his()), say(his(), hers())])
      expect(await stopping).toBe(0)
      await talk
      await server?.restart()
    }
    await world.health('ok')
    await agree()
    const timeline = await until(hers().watch('timeline', conversation), (now) => now !== undefined)
    expect(timeline?.items.filter((item) => item.kind === 'message' && item.state.kind === 'failed')).toEqual([])
  })
})
