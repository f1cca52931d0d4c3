import { expect, test } from 'vitest'
import { LiveQuery, LiveValue } from './live.ts'

/** A reading that ends when the test says so. */
function slowSource() {
  const ends: ((value: { n: number }) => void)[] = []
  const load = () => new Promise<{ n: number }>((resolve) => ends.push(resolve))
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
  return {
    load,
    get readings() {
      return ends.length
    },
    async end(n: number) {
      ends.at(-1)?.({ n })
      await settled()
    },
  }
}

test('a value tells those who listen, and only when it is another', () => {
  const live = new LiveValue(1)
  let told = 0
  const stop = live.subscribe(() => (told += 1))
  live.set(1)
  live.set(2)
  stop()
  live.set(3)
  expect(told).toBe(1)
})

test('an equal snapshot stays the same object', async () => {
  const source = slowSource()
  const query = new LiveQuery<{ n: number } | undefined>(undefined, source.load, () => undefined)
  query.subscribe(() => undefined)
  await source.end(1)
  const first = query.get()
  query.refresh()
  await source.end(1)
  expect(query.get()).toBe(first)
})

test('whatever changes during a reading leads to one more, however often it changed', async () => {
  const source = slowSource()
  const query = new LiveQuery<{ n: number } | undefined>(undefined, source.load, () => undefined)
  query.subscribe(() => undefined)
  for (let i = 0; i < 5; i++) query.refresh()
  expect(source.readings).toBe(1)
  await source.end(1)
  expect(source.readings).toBe(2)
  await source.end(2)
  expect(query.get()).toEqual({ n: 2 })
  expect(source.readings).toBe(2)
})

test('what nobody watches is not read', async () => {
  const source = slowSource()
  const query = new LiveQuery<{ n: number } | undefined>(undefined, source.load, () => undefined)
  query.refresh()
  expect(source.readings).toBe(0)
  const stop = query.subscribe(() => undefined)
  await source.end(1)
  stop()
  query.refresh()
  expect(source.readings).toBe(1)
  query.get()
  expect(source.readings).toBe(2)
})

test('a reading that fails is told, leaves the snapshot as it was, and the next one that works is told too', async () => {
  let broken = false
  const told: unknown[] = []
  const load = async () => {
    if (broken) throw new Error('no such table')
    return { n: told.length }
  }
  const query = new LiveQuery<{ n: number } | undefined>(undefined, load, ({ error }) => told.push(error instanceof Error && error.message))
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
  query.subscribe(() => undefined)
  await settled()
  const before = query.get()
  broken = true
  query.refresh()
  await settled()
  expect(query.get()).toBe(before)
  broken = false
  query.refresh()
  await settled()
  expect(told).toEqual([false, 'no such table', false])
})

test('renewed, it is read once more from that moment on, also when a reading was under way, watched or not', async () => {
  for (const watched of [true, false]) {
    const source = slowSource()
    const query = new LiveQuery<{ n: number } | undefined>(undefined, source.load, () => undefined)
    if (watched) query.subscribe(() => undefined)
    query.get()
    let renewed = false
    const renewal = query.renew().then(() => (renewed = true))
    await source.end(1)
    expect([source.readings, renewed]).toEqual([2, false])
    await source.end(2)
    await renewal
    expect(query.get()).toEqual({ n: 2 })
  }
})
