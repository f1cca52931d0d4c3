import { AccountId, ConversationId } from '@tacit/contract'
import { expect, test } from 'vitest'
import type { ConversationSummary } from '../api.ts'
import { mintId } from '../sealing.ts'
import { platformRandom as random } from '../surroundings.ts'
import { withCalmRequests } from './tray.ts'

const stranger = () => ({ account: mintId(random, AccountId), handle: 'stranger' })

const summary = (kind: 'direct' | 'group', request?: ConversationSummary['request']): ConversationSummary => ({
  conversation: mintId(random, ConversationId),
  kind,
  title: '',
  standing: 'active',
  people: 2,
  unread: 0,
  lastActivity: 0,
  typing: [],
  ...(request && { request }),
})

test('of each stranger one conversation and the oldest invitation stand in the tray, of those nobody knows all', () => {
  const by = stranger()
  const [newer, older] = [summary('group', { by }), summary('group', { by })]
  const [direct, friend] = [summary('direct', { by }), summary('group')]
  const [one, two] = [summary('group', {}), summary('group', {})]
  expect(withCalmRequests([newer, friend, one, older, direct, two])).toEqual([friend, one, older, direct, two])
})

test('M-38: of ten thousand invitations fifty are shown, and every conversation of the person', () => {
  const flood = Array.from({ length: 10_000 }, () => summary('group', { by: stranger() }))
  const own = [summary('direct'), summary('group')]
  const list = withCalmRequests([...flood, ...own])
  expect(list.filter(({ request }) => request)).toEqual(flood.slice(-50))
  expect(list.slice(-2)).toEqual(own)
})
