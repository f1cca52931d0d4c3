import { expect, test } from 'vitest'
import { InOrder } from './in-order.ts'

test('work under one name is done one after the other, whatever becomes of it, and under another name at the same time', async () => {
  const inOrder = new InOrder<string>()
  const done: string[] = []
  const { promise: word, resolve: letGo } = Promise.withResolvers<void>()
  const first = inOrder.run('a', async () => {
    await word
    done.push('first')
    throw new Error('a fault')
  })
  const second = inOrder.run('a', () => Promise.resolve(done.push('second')))
  await inOrder.run('b', () => Promise.resolve(done.push('other')))
  letGo()
  await expect(first).rejects.toThrow('a fault')
  await second
  expect(done).toEqual(['other', 'first', 'second'])
})

test('more than may wait under one name is refused as unavailable, and nobody else is', async () => {
  const inOrder = new InOrder<string>(2)
  const { promise: word, resolve: letGo } = Promise.withResolvers<void>()
  const waiting = [1, 2].map(() => inOrder.run('a', () => word))
  await expect(inOrder.run('a', () => word)).rejects.toMatchObject({ failure: 'unavailable' })
  await inOrder.run('b', () => Promise.resolve())
  letGo()
  await Promise.all(waiting)
  await inOrder.run('a', () => Promise.resolve())
})
