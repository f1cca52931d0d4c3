import { expect, test } from 'vitest'
import type { ConversationSummary } from '@tacit/sdk'
import { inboxOf } from './inbox.ts'

const summary = (id: string, more: Partial<ConversationSummary> = {}) =>
  ({
    conversation: id,
    title: id,
    kind: 'direct',
    standing: 'active',
    people: 2,
    unread: 0,
    lastActivity: 0,
    typing: [],
    ...more,
  }) as ConversationSummary

test('what strangers began is not in the chat, unless it was asked for by name', () => {
  const [friend, stranger, other] = [summary('friend'), summary('stranger', { request: {} }), summary('other', { request: {} })]
  const all = { get: () => list, subscribe: () => () => undefined }
  const list = [friend, stranger, other]
  const inbox = inboxOf(all, stranger.conversation)
  expect(inbox.get()).toEqual([friend, stranger])
  expect(inbox.get()).toBe(inbox.get())
  expect(inboxOf(all, undefined).get()).toEqual([friend])
})
