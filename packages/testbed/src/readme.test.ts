import { readFileSync } from 'node:fs'
import { join } from 'node:path'
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

test('the README shows the lines that run here', () => {
  const here = readFileSync(import.meta.filename, 'utf8')
  const run = here.slice(here.indexOf('// README begins'), here.indexOf('// README ends')).split('\n').slice(1, -1)
  const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8')
  expect(readme).toContain(run.map((line) => line.trimStart()).join('\n'))
})
