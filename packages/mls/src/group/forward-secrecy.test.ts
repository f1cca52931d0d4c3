/**
 * Forward secrecy at rest: every secret that any derivation gave is recorded, sorted by its RFC 9420 label into consumed and
 * live, and the rows that members have stored are searched for the bytes of each.
 */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { sizeOf, World } from '../conformance/world.ts'
import type { Seat } from '../conformance/world.ts'
import { HYBRID_SUITE, suiteOf } from '../crypto/suite.ts'
import { createMlsEngine } from './engine.ts'
import { publicKeysOf, Recorder, storeOf } from './recorder.test-support.ts'
import { nextKey, secretTreeOf } from './secret-tree.ts'
import { messageDelta } from './slots.ts'

afterEach(() => vi.restoreAllMocks())

const talk = async (seats: readonly Seat[], { epochs, messages }: { epochs: number; messages: number }): Promise<void> => {
  for (let epoch = 0; epoch < epochs; epoch++) {
    const committer = seats[epoch % seats.length]
    await committer?.commit(seats.filter((seat) => seat !== committer))
    for (let sent = 0; sent < messages; sent++) {
      const sender = seats[(epoch + sent) % seats.length]
      const sealed = (await sender?.say(`message ${sent}`)) ?? new Uint8Array()
      for (const seat of seats) if (seat !== sender) await seat.hear(sealed)
    }
  }
}

const expectNothingConsumed = (recorder: Recorder, seats: readonly Seat[], atLeast: number): void => {
  const [first] = seats
  if (!first) throw new Error('nobody')
  const consumed = recorder.consumed(publicKeysOf(first.group))
  expect(consumed.size).toBeGreaterThan(atLeast)
  const stores = seats.map(storeOf)
  expect([...consumed].filter((secret) => stores.some((store) => store.includes(secret)))).toEqual([])
  for (const live of [recorder.latest('secret'), recorder.latest('init'), recorder.latest('exporter')])
    expect(stores.every((store) => live.length >= 64 && store.includes(live))).toBe(true)
}

describe('what is stored', () => {
  test(
    'after 1,000 messages and 50 commits no stored row has a consumed secret, and live ones are found',
    { timeout: 120_000 },
    async () => {
      const recorder = new Recorder(suiteOf(1))
      const [alice, ...others] = await new World(await createMlsEngine({ suite: 1 })).assemble('Alice', 'Bob', 'Carol')
      const seats = [alice, ...others]
      await talk(seats, { epochs: 50, messages: 20 })
      expectNothingConsumed(recorder, seats, 4_000)
      const before = seats.map(storeOf)
      for (const seat of seats) seat.group = await seat.restored()
      const sealed = await alice.say('still here')
      for (const seat of others) expect(await seat.read(sealed)).toBe('still here')
      expectNothingConsumed(recorder, seats, 4_000)
      expect(seats.map(storeOf)).not.toEqual(before)
    },
  )

  test('the same holds in the hybrid suite when every step is saved and restored', { timeout: 120_000 }, async () => {
    const recorder = new Recorder(suiteOf(HYBRID_SUITE))
    const [alice, ...others] = await new World(await createMlsEngine(), { reloads: true }).assemble('Alice', 'Bob', 'Carol', 'Dave')
    await talk([alice, ...others], { epochs: 4, messages: 8 })
    expectNothingConsumed(recorder, [alice, ...others], 200)
  })

  test('the first message of an epoch erases the secret that all of its keys come from', async () => {
    const recorder = new Recorder(suiteOf(1))
    const [alice, bob] = await new World(await createMlsEngine({ suite: 1 })).assemble('Alice', 'Bob')
    if (!bob) throw new Error('Bob was added')
    const encryption = recorder.latest('encryption')
    expect(storeOf(alice).includes(encryption)).toBe(true)
    const sealed = await alice.say('first')
    expect(storeOf(alice).includes(encryption)).toBe(false)
    expect(storeOf(bob).includes(encryption)).toBe(true)
    await bob.hear(sealed)
    expect(storeOf(bob).includes(encryption)).toBe(false)
  })
})

test('a message changes less than 1 KB of rows in the largest group and a late epoch', () => {
  const by = suiteOf(HYBRID_SUITE)
  for (const leaf of [0, 1, 9_999, 16_383]) {
    const before = secretTreeOf(new Uint8Array(by.hash.length), 16_384)
    const { tree: after } = nextKey(by, before, { leaf, kind: 'application' })
    expect(sizeOf(messageDelta(99_999n, { before, after }, leaf).persist)).toBeLessThan(1024)
    const { tree: later } = nextKey(by, after, { leaf, kind: 'application' })
    expect(sizeOf(messageDelta(99_999n, { before: after, after: later }, leaf).persist)).toBeLessThan(256)
  }
})
