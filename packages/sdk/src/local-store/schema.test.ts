import { expect, test } from 'vitest'
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
