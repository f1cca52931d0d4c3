/** The people and conversations that the stories are about. */
import type { AccountId, ConversationId, ConversationSummary, DeviceId, MessageId, Person, SessionId, UnlockId } from '@tacit/sdk'

/** Everything in the stories happens around this moment, in the reader's zone. */
export const now = new Date(2026, 10, 21, 14, 12).getTime()
export const minutes = (count: number): number => count * 60_000

const person = (name: string): Person => ({ account: `${name}-account` as AccountId, handle: name })
export const alice = person('Alice')
export const bob = person('Bob')
export const carol = person('carol.w')
export const dan = person('Dan_the_man')
export const eve = person('Eve')

export const conversationId = (name: string) => name as ConversationId
export const messageId = (name: string) => name as MessageId
export const sessionId = (name: string) => name as SessionId
export const unlockId = (name: string) => name as UnlockId
export const deviceId = (name: string) => name as DeviceId

const base = { standing: 'active', unread: 0, typing: [] } as const

const group = (title: string, id: string): Pick<ConversationSummary, 'conversation' | 'kind' | 'title' | 'people'> => ({
  conversation: conversationId(id),
  kind: 'group',
  title,
  people: 4,
})
const direct = (peer: Person, id: string): Pick<ConversationSummary, 'conversation' | 'kind' | 'title' | 'people' | 'peer'> => ({
  conversation: conversationId(id),
  kind: 'direct',
  title: peer.handle,
  people: 2,
  peer,
})

export const mallory = person('Mallory.91')

/** What strangers began, and nobody has answered. */
export const requests: readonly ConversationSummary[] = [
  {
    ...base,
    ...direct(mallory, 'mallory'),
    unread: 1,
    lastActivity: now - minutes(17),
    last: { preview: 'Hi, we met at the market on Saturday', sender: mallory, mine: false, time: now - minutes(17) },
    request: { by: mallory },
  },
  { ...base, ...group('WIN A PRIZE TODAY', 'prize'), lastActivity: now - minutes(60 * 26), request: { by: person('lucky_days') } },
]

export const conversations: readonly ConversationSummary[] = [
  {
    ...base,
    ...direct(bob, 'bob'),
    peerOnline: true,
    lastActivity: now - minutes(2),
    last: { preview: 'Shall I bring the tent, or do you have room for it?', sender: bob, mine: false, time: now - minutes(2) },
  },
  {
    ...base,
    ...group('Sunday hiking club', 'hike'),
    unread: 3,
    lastActivity: now - minutes(9),
    last: { preview: 'The bus leaves at 8:40 from the market square', sender: carol, mine: false, time: now - minutes(9) },
  },
  {
    ...base,
    ...direct(carol, 'carol'),
    typing: [carol],
    lastActivity: now - minutes(34),
    last: { preview: 'See you then!', mine: true, time: now - minutes(34), state: { kind: 'read' } },
  },
  {
    ...base,
    ...group('Kitchen, third floor', 'kitchen'),
    unread: 128,
    lastActivity: now - minutes(60 * 20),
    last: { preview: 'Whose soup is this?', sender: dan, mine: false, time: now - minutes(60 * 20) },
  },
  {
    ...base,
    ...direct(dan, 'dan'),
    lastActivity: now - minutes(60 * 24 * 3),
    last: { preview: 'I will call you on Wednesday', mine: true, time: now - minutes(60 * 24 * 3), state: { kind: 'delivered' } },
  },
  {
    ...base,
    ...direct(eve, 'eve'),
    lastActivity: now - minutes(60 * 24 * 5),
    last: { preview: 'Not today', mine: true, time: now - minutes(60 * 24 * 5), state: { kind: 'failed', reason: 'too_large' } },
  },
  {
    ...base,
    ...group('Book circle', 'books'),
    standing: 'left',
    lastActivity: now - minutes(60 * 24 * 40),
    last: { preview: 'Goodbye everybody, it was lovely', mine: true, time: now - minutes(60 * 24 * 40), state: { kind: 'accepted' } },
  },
]
