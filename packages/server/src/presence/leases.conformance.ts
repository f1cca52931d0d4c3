/** What leases of presence must do, wherever they are kept. `at` is another server's hold on the same leases, or the same one. */
import { expect, test } from 'vitest'
import { newAccountId } from '../identity.test-support.ts'
import { LEASE_LASTS, RENEW_EVERY, type Leases } from './leases.ts'

export interface LeasesUnderTest {
  readonly holding: Leases
  readonly asking: Leases
  /** Lets time pass, for both. */
  pass(milliseconds: number): void
}

export function leasesConformance(open: () => Promise<LeasesUnderTest>): void {
  const [alice, bob] = [newAccountId(), newAccountId()]

  test('whoever holds a lease is online, nobody else is', async () => {
    const { holding, asking } = await open()
    await holding.hold([alice])
    expect(await asking.online([alice, bob])).toEqual(new Set([alice]))
    expect(await asking.online([])).toEqual(new Set())
  })

  test('who lets go is not online any more, others still are', async () => {
    const { holding, asking } = await open()
    await holding.hold([alice, bob])
    await holding.release(alice)
    expect(await asking.online([alice, bob])).toEqual(new Set([bob]))
  })

  test('a lease that nobody renews ends by itself', async () => {
    const { holding, asking, pass } = await open()
    await holding.hold([alice])
    pass(LEASE_LASTS - 1)
    expect(await asking.online([alice])).toEqual(new Set([alice]))
    pass(1)
    expect(await asking.online([alice])).toEqual(new Set())
  })

  test('a lease that is renewed in time goes on', async () => {
    const { holding, asking, pass } = await open()
    for (let renewals = 0; renewals < 6; renewals++) {
      await holding.hold([alice])
      pass(RENEW_EVERY)
    }
    expect(await asking.online([alice])).toEqual(new Set([alice]))
  })

  test('a thousand are held and asked for as one is', async () => {
    const { holding, asking } = await open()
    const many = Array.from({ length: 1000 }, newAccountId)
    await holding.hold(many)
    expect((await asking.online([...many, alice])).size).toBe(1000)
  })
}
