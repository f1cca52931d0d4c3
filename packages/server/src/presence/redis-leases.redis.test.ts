import { afterEach, describe, expect, test } from 'vitest'
import { newPrefix, openLink, redisUrl } from '../bus/redis.test-support.ts'
import type { RedisLink } from '../bus/redis-link.ts'
import { newAccountId } from '../identity.test-support.ts'
import { leasesConformance } from './leases.conformance.ts'
import { RedisLeases } from './redis-leases.ts'

const links: RedisLink[] = []
afterEach(() => {
  for (const link of links.splice(0)) link.close()
})

/** Two servers with one clock. */
async function openPair() {
  const clock = { time: Date.now(), now: () => clock.time }
  const prefix = newPrefix()
  const open = async (node: string): Promise<RedisLeases> => {
    const link = await openLink(prefix)
    links.push(link)
    return new RedisLeases({ link, node, clock })
  }
  const pass = (milliseconds: number): void => void (clock.time += milliseconds)
  return { here: await open('here'), there: await open('there'), pass, clock }
}

describe.skipIf(!redisUrl)('leases in Redis', () => {
  describe('asked at the same server', () => {
    leasesConformance(async () => {
      const { here, pass } = await openPair()
      return { holding: here, asking: here, pass }
    })
  })

  describe('asked at another server', () => {
    leasesConformance(async () => {
      const { here, there, pass } = await openPair()
      return { holding: here, asking: there, pass }
    })
  })

  test('somebody who is online at two servers is online until both let go', async () => {
    const { here, there } = await openPair()
    const alice = newAccountId()
    await Promise.all([here.hold([alice]), there.hold([alice])])
    await here.release(alice)
    expect(await here.online([alice])).toEqual(new Set([alice]))
    await there.release(alice)
    expect(await here.online([alice])).toEqual(new Set())
  })

  test('without Redis a server knows its own people, and nobody waits', async () => {
    const { clock } = await openPair()
    const ask = (): Promise<never> => Promise.reject(new Error('no Redis'))
    const alone = new RedisLeases({ link: { prefix: '', ask }, node: 'alone', clock })
    const [alice, bob] = [newAccountId(), newAccountId()]
    await alone.hold([alice])
    expect(await alone.online([alice, bob])).toEqual(new Set([alice]))
    await alone.release(alice)
    expect(await alone.online([alice])).toEqual(new Set())
  })

  test('what Redis forgot is there again with the next renewal', async () => {
    const { here, there } = await openPair()
    const alice = newAccountId()
    await here.hold([alice])
    await links[0]?.ask((redis) => redis.del(`${links[0]?.prefix}online:${alice}`))
    expect(await there.online([alice])).toEqual(new Set())
    await here.hold([alice])
    expect(await there.online([alice])).toEqual(new Set([alice]))
  })
})
