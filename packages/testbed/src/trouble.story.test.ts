/** What a person sees of a local database that this program cannot read: a reason, never an empty list. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
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

test('a group of which the disk has changed one bit is joined anew, and nothing is said with wrong keys', async () => {
  await using frank = await world.signedUp('Frank')
  const folder = await mkdtemp(join(tmpdir(), 'tacit-damaged-'))
  const store = join(folder, 'erin.db')
  const erin = await openDevice({ server: world.url, store })
  await erin.signUp({ handle: 'Erin', password: PASSWORD })
  const conversation = await erin.startDirect({ handle: 'frank' })
  await erin.send({ conversation, text: 'before' })
  await frank.conversation('Erin')
  await frank.sees(conversation, ['before'])
  await erin.close()

  flipBits(store)
  await using again = await openDevice({ server: world.url, store })
  await again.send({ conversation, text: 'after' })
  const timeline = await frank.sees(conversation, ['before', 'after'])
  expect(timeline.items.filter(({ kind }) => kind === 'unreadable')).toEqual([])
  await rm(folder, { recursive: true })
})

/** One bit of each row of the group's state. */
function flipBits(path: string): void {
  const sqlite = new DatabaseSync(path)
  for (const { slot, bytes } of sqlite.prepare('select slot, bytes from group_state').all()) {
    if (!(bytes instanceof Uint8Array) || typeof slot !== 'string') throw new TypeError('not a row of a group')
    const at = bytes.length - 5
    sqlite.prepare('update group_state set bytes = ? where slot = ?').run(bytes.with(at, (bytes[at] ?? 0) ^ 1), slot)
  }
  sqlite.close()
}
