import { expect, test } from 'vitest'
import type { ConversationSummary, Live, Person, Timeline, TimelineItem } from '@tacit/sdk'
import { MessengerError } from '@tacit/sdk'
import { Desk } from './desk.ts'
import type { DeskDevice } from './desk.ts'
import { typed } from './keys.ts'

type ConversationId = ConversationSummary['conversation']
const bob = 'bob-conversation' as ConversationId
const trip = 'trip-conversation' as ConversationId
const carol: Person = { account: 'carol' as Person['account'], handle: 'carol' }

const summary = (conversation: ConversationId): ConversationSummary => ({
  conversation,
  kind: 'group',
  title: conversation,
  standing: 'active',
  people: 2,
  unread: 0,
  lastActivity: 0,
  typing: [],
})

function item(seq: number): TimelineItem {
  const key = `item ${seq}`
  const message = key as Extract<TimelineItem, { kind: 'message' }>['message']
  return { kind: 'message', key, message, sender: carol, mine: false, text: key, time: seq, seq, state: { kind: 'read' } }
}

const still = <T>(value: T): Live<T> => ({ get: () => value, subscribe: () => () => {} })

/** A desk with two conversations of 40 items each, and what it asked of its device. */
function deskOf({ sending = async () => item(1).key }: { sending?: () => Promise<string> } = {}) {
  const asked: string[] = []
  const timeline: Timeline = { items: Array.from({ length: 40 }, (_, seq) => item(seq)), hasEarlier: true, typing: [] }
  const watch = ((topic: string) => (topic === 'timeline' ? still(timeline) : still([summary(bob), summary(trip)]))) as DeskDevice['watch']
  const device: DeskDevice = {
    watch,
    send: async ({ conversation, text }) => {
      asked.push(`send ${conversation} ${text}`)
      return (await sending()) as Awaited<ReturnType<DeskDevice['send']>>
    },
    retry: async ({ message }) => void asked.push(`retry ${message}`),
    setTyping: async ({ conversation, typing }) => void asked.push(`typing ${conversation} ${typing}`),
    loadEarlier: async ({ count }) => void asked.push(`earlier ${count}`),
  }
  const desk = new Desk({ device, start: bob, quit: () => asked.push('quit') })
  return { desk, asked }
}

test('keys that arrive at once each see what the one before did', () => {
  const { desk, asked } = deskOf()
  for (const wish of [
    typed('se'),
    typed('a'),
    { kind: 'edit', edit: { kind: 'move', to: 'start' } },
    typed('the '),
    { kind: 'send' },
  ] as const)
    desk.fulfil(wish)
  expect(asked).toContain(`send ${bob} the sea`)
  expect(desk.draft(bob).text).toBe('')
})

test('a draft waits in its conversation while the person looks at another', () => {
  const { desk, asked } = deskOf()
  for (const wish of [typed('half a thought'), { kind: 'switch' }, { kind: 'down' }, { kind: 'send' }] as const) desk.fulfil(wish)
  expect(desk.open?.conversation).toBe(trip)
  expect(desk.draft(trip).text).toBe('')
  expect(desk.draft(bob).text).toBe('half a thought')
  expect(asked).toEqual([`typing ${bob} true`, `typing ${bob} false`])
})

test('leaving the list without a choice changes nothing', () => {
  const { desk } = deskOf()
  for (const kind of ['switch', 'down', 'back'] as const) desk.fulfil({ kind })
  expect(desk.open?.conversation).toBe(bob)
  expect(desk.get().pointed).toBeUndefined()
})

test('looking back stays where it is, asks for more in time, and ends at the newest', () => {
  const { desk, asked } = deskOf()
  desk.fulfil({ kind: 'earlier' })
  expect(desk.get().anchors.get(bob)).toBe('item 31')
  expect(asked).toContain('earlier 32')
  desk.fulfil({ kind: 'later' })
  expect(desk.get().anchors.get(bob)).toBeUndefined()
})

test('blank text is not sent', () => {
  const { desk, asked } = deskOf()
  for (const wish of [typed(' \n '), { kind: 'send' }] as const) desk.fulfil(wish)
  expect(asked.filter((one) => one.startsWith('send'))).toEqual([])
})

test('what did not work is said in a sentence, and the text is given back', async () => {
  const { desk } = deskOf({ sending: () => Promise.reject(new MessengerError('too_large', 'Too large.')) })
  const said = new Promise<void>((resolve) => desk.subscribe(() => desk.get().trouble && resolve()))
  for (const wish of [typed('x'), { kind: 'send' }] as const) desk.fulfil(wish)
  await said
  expect(desk.get().trouble).toBe('Too large. Send less at once.')
  expect(desk.draft(bob).text).toBe('x')
})

test('Ctrl-D quits only where nothing would be lost', () => {
  const { desk, asked } = deskOf()
  desk.fulfil(typed('x'))
  desk.fulfil({ kind: 'quit_if_empty' })
  expect(asked).not.toContain('quit')
  desk.fulfil({ kind: 'quit' })
  expect(asked).toContain('quit')
})
