import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld, until, type World } from './index.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

test('two people sign up and chat both ways', async () => {
  const alice = await world.signedUp('Alice')
  const bob = await world.signedUp('Bob')
  const withBob = await alice.startDirect({ handle: 'bob' })
  await alice.send({ conversation: withBob, text: 'Hello Bob' })
  const withAlice = await bob.conversation('Alice')
  await bob.sees(withAlice, ['Hello Bob'])
  await bob.send({ conversation: withAlice, text: 'Hello Alice' })
  await alice.sees(withBob, ['Hello Bob', 'Hello Alice'])
  expect(withAlice).toBe(withBob)
  await bob.markRead({ conversation: withAlice, seq: 2 })
  await until(
    alice.watch('timeline', withBob),
    (timeline) => timeline?.items.some((item) => item.kind === 'message' && item.mine && item.state.kind === 'read') ?? false,
  )
})
