import { expect, test } from 'vitest'
import { openDevice } from '@tacit/sdk/node'
import { openWorld } from './index.ts'

test('the ten lines of the README: two devices sign up and exchange a message', async () => {
  await using world = await openWorld()
  const server = world.url
  // README begins
  await using alice = await openDevice({ server, store: ':memory:' })
  await using bob = await openDevice({ server, store: ':memory:' })
  await alice.signUp({ handle: 'alice', password: 'correct horse battery' })
  await bob.signUp({ handle: 'bob', password: 'staple hobby magnet' })

  const inbox = bob.incoming()
  const conversation = await alice.startDirect({ handle: 'bob' })
  await alice.send({ conversation, text: 'Hello, Bob.' })
  const { value } = await inbox.next()
  console.log(`${value.sender.handle}: ${value.text}`)
  // README ends
  expect(value).toMatchObject({ conversation, sender: { handle: 'alice' }, text: 'Hello, Bob.', mine: false })
})
