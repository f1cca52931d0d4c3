import { expect, test } from 'vitest'
import type { AccountId, ConversationId, ConversationSummary } from '@tacit/sdk'
import { countUnread, splitRequests } from './requests.ts'

const summary = (name: string, more: Partial<ConversationSummary> = {}): ConversationSummary => ({
  conversation: name as ConversationId,
  kind: 'direct',
  title: name,
  standing: 'active',
  people: 2,
  unread: 2,
  lastActivity: 0,
  typing: [],
  ...more,
})
const friend = summary('friend')
const stranger = summary('stranger', { request: { by: { account: 'x' as AccountId, handle: 'stranger' } } })

test('requests stand beside the inbox, and what is unread in them does not count', () => {
  expect(splitRequests([friend, stranger])).toEqual({ inbox: [friend], requests: [stranger] })
  expect(countUnread([friend, stranger])).toBe(2)
  expect(countUnread(undefined)).toBe(0)
})
