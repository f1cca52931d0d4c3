import { expect, test } from 'vitest'
import fc from 'fast-check'
import { DeviceId } from '@tacit/contract'
import { openMemoryStore } from '../local-store/node-sqlite.ts'
import { migrate } from '../local-store/schema.ts'
import { mintId } from '../sealing.ts'
import { platformRandom as random } from '../surroundings.ts'
import { decodeValues, encodeValues, later, type VaultValue } from './values.ts'
import { setValue, settleValues, takeValues, valueOf, valuesOf } from './values.store.ts'

const devices = [mintId(random, DeviceId), mintId(random, DeviceId)] as const
const valueArbitrary = (name: string): fc.Arbitrary<VaultValue> =>
  fc.record({
    name: fc.constant(name),
    value: fc.option(fc.nat(9), { nil: undefined }),
    counter: fc.integer({ min: 1, max: 4 }),
    device: fc.constantFrom(...devices),
    day: fc.constant(20_000),
  })

test('which of three values stands does not depend on the order in which they come', () => {
  for (const name of ['name/somebody', 'read/somewhere']) {
    const values = fc.uniqueArray(valueArbitrary(name), {
      minLength: 3,
      maxLength: 3,
      selector: ({ counter, device }) => `${counter}${device}`,
    })
    fc.assert(
      fc.property(values, (three) => {
        const orders = [three, three.toReversed(), [...three.slice(1), ...three.slice(0, 1)]]
        const outcomes = orders.map((order) => order.reduce(later).value)
        expect(new Set(outcomes).size).toBe(1)
      }),
    )
  }
})

test('how far something was read only grows, whoever changed it last', () => {
  const [phone, tablet] = devices
  const far = { name: 'read/x', value: 9, counter: 1, device: phone, day: 1 }
  const near = { name: 'read/x', value: 3, counter: 7, device: tablet, day: 2 }
  expect([later(far, near).value, later(near, far).value]).toEqual([9, 9])
})

test('values are read as they were written, and a stone is forgotten after 90 days', () => {
  const [device] = devices
  const kept = { name: 'a', value: 'text', counter: 2, device, day: 100 }
  const stone = { name: 'b', value: undefined, counter: 3, device, day: 100 }
  expect(decodeValues(encodeValues([stone, kept], 189))).toEqual([kept, stone])
  expect(decodeValues(encodeValues([stone, kept], 190))).toEqual([kept])
  expect(decodeValues(random.bytes(40))).toBeUndefined()
})

test('what the server has takes the place of what it had; what was changed here since stays and is still owed', async () => {
  const store = openMemoryStore()
  await migrate(store)
  const [phone, tablet] = devices
  const set = (name: string, value: string | undefined) =>
    store.transaction((writer) => setValue(writer, 'people', { name, value, device: phone, day: 1 }))
  const theirs = (name: string, value: string | undefined, counter: number) => ({ name, value, counter, device: tablet, day: 1 })
  await store.transaction((writer) => takeValues(writer, 'people', [theirs('old', 'gone soon', 1), theirs('both', 'first', 1)]))
  expect(await set('mine', 'typed here')).toBe(true)
  expect(await set('mine', 'typed here')).toBe(false)
  await set('both', 'changed here')
  await store.transaction((writer) =>
    takeValues(writer, 'people', [theirs('both', 'changed there twice', 5), theirs('new', 'from there', 1)]),
  )
  const now = await valuesOf(store, 'people')
  expect(now.map(({ name, value, dirty }) => [name, value, dirty])).toEqual([
    ['both', 'changed there twice', false],
    ['mine', 'typed here', true],
    ['new', 'from there', false],
  ])
  await set('mine', 'typed again')
  await store.transaction((writer) => settleValues(writer, 'people', now))
  expect((await valuesOf(store, 'people')).find(({ name }) => name === 'mine')).toMatchObject({ dirty: true, counter: 2 })
  await set('mine', undefined)
  expect(await valueOf(store, 'people', 'mine')).toBeUndefined()
})
