import { AccountId, ConversationId } from '@tacit/contract'
import { expect, test } from 'vitest'
import { hasMet, isAccepted, metOf, talkOf } from '../requests/admission.ts'
import { mintId } from '../sealing.ts'
import { platformRandom as random } from '../surroundings.ts'
import { valuesOf } from '../vault/values.store.ts'
import { openMemoryStore } from './node-sqlite.ts'
import { migrate } from './schema.ts'

test('an empty database gets its tables, and a second time changes nothing', async () => {
  const store = openMemoryStore()
  await migrate(store)
  await store.transaction((writer) => writer.run('insert into setting (name, value) values (?, ?)', ['x', new Uint8Array(1)]))
  await migrate(store)
  expect(await store.get('select name from setting')).toEqual({ name: 'x' })
})

test('a database of a newer version is not touched', async () => {
  const store = openMemoryStore()
  await migrate(store)
  await store.transaction((writer) => writer.run('insert into schema_version values (?)', [1000]))
  await expect(migrate(store)).rejects.toMatchObject({
    failure: 'client_too_old',
    message: 'A newer version of this program wrote the local database.',
  })
})

test('conversations and people of a database from before requests were asked about are taken up', async () => {
  const store = openMemoryStore()
  await migrate(store, 15)
  const [conversation, peer] = [mintId(random, ConversationId), mintId(random, AccountId)]
  await store.transaction((writer) =>
    writer.run(
      `insert into conversation (conversation, kind, standing, stuck, title, title_owed, peer, epoch, cursor, transcript, begins, client_seq,
         read_seq, healed, activity) values (?, 'direct', 'active', 0, '', 0, ?, 1, 1, x'', 0, 0, 0, 0, 0)`,
      [conversation, peer],
    ),
  )
  await migrate(store)
  expect(await isAccepted(store, conversation)).toBe(true)
  expect(await hasMet(store, peer)).toBe(true)
  // Any device that says something else is right.
  const noted = await valuesOf(store, 'people')
  expect(noted.map(({ name, counter, dirty }) => [name, counter, dirty])).toEqual([
    [metOf(peer), 1, true],
    [talkOf(conversation), 1, true],
  ])
})
