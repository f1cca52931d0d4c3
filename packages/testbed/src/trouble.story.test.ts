/** What a person sees of a local database that this program cannot read: a reason, never an empty list. */
import { openDevice, openMemoryStore } from '@tacit/sdk/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld, PASSWORD, until, type World } from './index.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

test('a list that cannot be read is a trouble with a sentence, and over when it can be read again', async () => {
  const store = openMemoryStore()
  await using alice = await openDevice({ server: world.url, store })
  await alice.signUp({ handle: 'Alice', password: PASSWORD })
  await store.transaction((writer) => writer.run('alter table conversation rename to lost'))
  const conversations = alice.watch('conversations')
  conversations.subscribe(() => undefined)
  const trouble = await until(alice.watch('trouble'), (now) => now !== undefined)
  expect(trouble).toMatchObject({ failure: 'storage' })
  expect(conversations.get()).toBeUndefined()
  await store.transaction((writer) => writer.run('alter table lost rename to conversation'))
  await alice.setPresenceSharing({ on: true })
  await until(conversations, (list) => list !== undefined)
  expect(alice.watch('trouble').get()).toBeUndefined()
})

test('a database of a newer program is told as that, and nothing in it is changed', async () => {
  const store = openMemoryStore()
  await using _made = await openDevice({ server: world.url, store })
  await store.transaction((writer) => writer.run('insert into schema_version values (?)', [1000]))
  await expect(openDevice({ server: world.url, store })).rejects.toMatchObject({
    failure: 'client_too_old',
    message: 'A newer version of this program wrote the local database.',
  })
})
