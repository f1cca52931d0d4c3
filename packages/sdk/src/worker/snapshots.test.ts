import { expect, test, vi } from 'vitest'
import { keepUnchanged, Snapshots } from './snapshots.ts'

const item = (key: string, state = 'sending') => ({ key, state: { kind: state }, text: `text of ${key}` })

test('an equal snapshot stays the same object', () => {
  const before = { items: [item('a'), item('b')], typing: [], hasEarlier: false }
  expect(keepUnchanged(before, structuredClone(before))).toBe(before)
})

test('only what changed is new, wherever the rest has moved', () => {
  const before = { items: [item('a'), item('b')], typing: [] }
  const next = keepUnchanged(before, { items: [item('earlier'), item('a'), item('b', 'accepted')], typing: [] })
  expect(next).toEqual({ items: [item('earlier'), item('a'), item('b', 'accepted')], typing: [] })
  expect(next).toMatchObject({ typing: before.typing })
  const items = Object(next).items
  expect(items[1]).toBe(before.items[0])
  expect(items[2]).not.toBe(before.items[1])
})

test('a field that went away is gone', () => {
  expect(keepUnchanged({ a: 1, b: 2 }, { a: 1 })).toEqual({ a: 1 })
  expect(keepUnchanged([1, 2], [1])).toEqual([1])
  expect(keepUnchanged({ a: undefined }, {})).toEqual({})
  expect(Object.keys(Object(keepUnchanged({ a: undefined }, {})))).toEqual([])
})

test('bytes are never taken for equal', () => {
  const next = new Uint8Array([1])
  expect(keepUnchanged(new Uint8Array([1]), next)).toBe(next)
})

test('a topic is watched once, however many look at it', () => {
  const [watch, unwatch] = [vi.fn(), vi.fn()]
  const snapshots = new Snapshots({ firstSession: () => ({ kind: 'starting' }), watch, unwatch })
  const live = snapshots.live('timeline', 'AAAAAAAAAAAAAAAAAAAAAA')
  const stops = [live.subscribe(() => undefined), live.subscribe(() => undefined)]
  expect(snapshots.active()).toHaveLength(1)
  for (const stop of [...stops, ...stops]) stop()
  expect(watch).toHaveBeenCalledTimes(1)
  expect(unwatch).toHaveBeenCalledTimes(1)
  expect(snapshots.active()).toEqual([])
})

test('after a sign-out nothing of the account is left in the page', () => {
  const snapshots = new Snapshots({ firstSession: () => ({ kind: 'starting' }), watch: () => undefined, unwatch: () => undefined })
  const live = snapshots.live('conversations')
  const heard = vi.fn()
  live.subscribe(heard)
  snapshots.apply(JSON.stringify(['conversations', undefined]), [{ conversation: 'x' }])
  expect(live.get()).toEqual([{ conversation: 'x' }])
  snapshots.clear()
  expect(live.get()).toBeUndefined()
  expect(heard).toHaveBeenCalledTimes(2)
})
