import { expect, test } from 'vitest'
import type { AccountId, ConversationId, ConversationSummary, Person } from '@tacit/sdk'
import { newsBetween } from './news.ts'

const bob: Person = { account: 'bob' as AccountId, handle: 'Bob' }

interface Last {
  readonly id?: string
  readonly time: number
  readonly mine?: boolean
  readonly kind?: ConversationSummary['kind']
}

const summary = ({ id = 'c', time, mine = false, kind = 'direct' }: Last): ConversationSummary => ({
  conversation: id as ConversationId,
  kind,
  title: kind === 'direct' ? 'Bob' : 'Hiking',
  standing: 'active',
  people: 2,
  unread: 0,
  lastActivity: time,
  typing: [],
  last: { preview: `at ${time}`, mine, time, sender: bob },
})

test('somebody else’s new message is news, and the same state again is not', () => {
  expect(newsBetween([summary({ time: 1 })], [summary({ time: 2 })])).toEqual([{ title: 'Bob', text: 'at 2' }])
  expect(newsBetween([summary({ time: 2 })], [summary({ time: 2 })])).toEqual([])
})

test('what I wrote myself is no news', () => {
  expect(newsBetween([summary({ time: 1 })], [summary({ time: 2, mine: true })])).toEqual([])
})

test('in a group it is said who wrote', () => {
  expect(newsBetween([], [summary({ time: 1, kind: 'group' })])).toEqual([{ title: 'Hiking', text: 'Bob: at 1' }])
})

test('a stranger is no news, and does not become any by being taken up', () => {
  const asked = { ...summary({ time: 1 }), request: { by: bob } }
  expect(newsBetween([], [asked])).toEqual([])
  expect(newsBetween([asked], [summary({ time: 1 })])).toEqual([])
})
