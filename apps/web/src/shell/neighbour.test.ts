import { expect, test } from 'vitest'
import type { ConversationId } from '@tacit/sdk'
import { neighbour } from './neighbour.ts'

const list = (...unread: readonly number[]) => unread.map((count, at) => ({ conversation: `c${at}` as ConversationId, unread: count }))

test('walking goes to the next one and stops at the ends', () => {
  const conversations = list(0, 0, 0)
  expect(neighbour({ conversations, current: 'c1', step: 1, unreadOnly: false })).toBe('c2')
  expect(neighbour({ conversations, current: 'c1', step: -1, unreadOnly: false })).toBe('c0')
  expect(neighbour({ conversations, current: 'c2', step: 1, unreadOnly: false })).toBeUndefined()
})

test('with nothing open one begins at the near end', () => {
  const conversations = list(0, 0, 0)
  expect(neighbour({ conversations, current: undefined, step: 1, unreadOnly: false })).toBe('c0')
  expect(neighbour({ conversations, current: undefined, step: -1, unreadOnly: false })).toBe('c2')
})

test('unread only skips what is read', () => {
  const conversations = list(1, 0, 0, 4)
  expect(neighbour({ conversations, current: 'c0', step: 1, unreadOnly: true })).toBe('c3')
  expect(neighbour({ conversations, current: 'c0', step: -1, unreadOnly: true })).toBeUndefined()
})
