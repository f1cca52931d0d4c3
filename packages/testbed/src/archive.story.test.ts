import { afterAll, beforeAll, expect, test } from 'vitest'
import { noticesOf, openWorld, textsOf, until, type World, type WorldDevice } from './index.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

/** Resolves when everything that the device has is in the archive. */
const archived = (device: WorldDevice) => until(device.watch('history'), (history) => history !== undefined && history.waiting === 0)

test('what was written before a device came is on it, in its place, and what comes after goes on', async () => {
  const [alice, bob] = [await world.signedUp('Alice'), await world.signedUp('Bob')]
  const direct = await alice.startDirect({ handle: 'bob' })
  const group = await bob.createGroup({ title: 'Garden', handles: ['alice'] })
  await alice.conversation('Garden')
  await alice.send({ conversation: direct, text: 'one' })
  await bob.sees(direct, ['one'])
  await bob.send({ conversation: direct, text: 'two' })
  await bob.send({ conversation: group, text: 'beans' })
  await alice.sees(direct, ['one', 'two'])
  await alice.sees(group, ['beans'])
  await alice.settle({ within: 20_000 })
  await archived(alice)

  const tablet = await world.signedIn('alice')
  const seen = await tablet.sees(direct, ['one', 'two'])
  expect(noticesOf(seen.items)).not.toContain('history_begins')
  await tablet.sees(group, ['beans'])
  await tablet.conversation('Garden')
  await bob.send({ conversation: direct, text: 'three' })
  const later = await tablet.sees(direct, ['one', 'two', 'three'])
  const seqs = later.items.flatMap(({ seq }) => seq ?? [])
  expect(seqs).toEqual(seqs.toSorted((one, other) => one - other))
  expect(textsOf(later.items)).toEqual(['one', 'two', 'three'])
})
