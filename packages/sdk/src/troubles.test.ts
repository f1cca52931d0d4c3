import { expect, test } from 'vitest'
import { storeError } from './local-store/failure.ts'
import { Troubles } from './troubles.ts'

test('a reading that fails is a trouble until that reading works again', () => {
  const troubles = new Troubles()
  const [list, timeline] = [troubles.of('list'), troubles.of('timeline')]
  list({ error: storeError('damaged') })
  expect(troubles.newest.get()).toEqual({ failure: 'storage', message: 'The local database is damaged.' })
  timeline({})
  expect(troubles.newest.get()).toMatchObject({ failure: 'storage' })
  list({})
  expect(troubles.newest.get()).toBeUndefined()
})

test('what nobody expected is told without its details', () => {
  const troubles = new Troubles()
  troubles.of('list')({ error: new Error('secret words of a conversation') })
  expect(troubles.newest.get()).toEqual({ failure: 'internal', message: 'Something went wrong on this device.' })
})

test('a store that was closed on the way out is no trouble', () => {
  const troubles = new Troubles()
  troubles.of('list')({ error: storeError('closed') })
  expect(troubles.newest.get()).toBeUndefined()
})
