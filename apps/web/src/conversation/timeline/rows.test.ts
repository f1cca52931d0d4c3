import { expect, test } from 'vitest'
import type { AccountId, ConversationKind, MessageId, MessageState, Person, Timeline, TimelineItem } from '@tacit/sdk'
import { momentsFor } from '../../time/moments.ts'
import { countAfter, highestSeq, rowsOf } from './rows.ts'

const { dayKey } = momentsFor({ locale: 'en', timeZone: 'Europe/Berlin' })
const noon = Date.parse('2026-11-21T11:00:00Z')
const minute = 60_000
const alice: Person = { account: 'alice' as AccountId, handle: 'Alice' }
const bob: Person = { account: 'bob' as AccountId, handle: 'Bob' }

interface Said {
  readonly by?: Person
  readonly time?: number
  readonly state?: MessageState['kind']
}

let counter = 0
function said({ by = bob, time = noon, state = 'accepted' }: Said = {}): TimelineItem {
  counter += 1
  const id = `m${counter}`
  const seq = state === 'sending' ? {} : { seq: counter }
  const stateNow: MessageState = state === 'failed' ? { kind: state, reason: 'left' } : { kind: state }
  return { kind: 'message', key: id, message: id as MessageId, sender: by, mine: by === alice, text: 'hi', time, state: stateNow, ...seq }
}

interface Drawn {
  readonly firstUnread?: string
  readonly kind?: ConversationKind
}

const draw = (items: readonly TimelineItem[], { firstUnread, kind = 'group' }: Drawn = {}) => {
  const timeline: Timeline = { items, hasEarlier: false, typing: [] }
  return rowsOf({ timeline, firstUnread, kind, dayKey })
}
const shape = (items: readonly TimelineItem[], drawn?: Drawn) =>
  draw(items, drawn).flatMap((row) => [
    ...(row.lead.beginning ? ['beginning'] : []),
    ...(row.lead.day === undefined ? [] : ['day']),
    ...(row.lead.unread ? ['unread'] : []),
    row.kind === 'message' ? `${row.firstOfGroup ? '(' : ''}m${row.lastOfGroup ? ')' : ''}` : row.kind,
  ])

test('messages of one sender in one breath are one group', () => {
  const items = [said(), said({ time: noon + minute }), said({ by: alice, time: noon + 2 * minute })]
  expect(shape(items)).toEqual(['beginning', 'day', '(m', 'm)', '(m)'])
})

test('a pause parts a group', () => {
  expect(shape([said(), said({ time: noon + 6 * minute })])).toEqual(['beginning', 'day', '(m)', '(m)'])
})

test('midnight in the reader’s zone puts a day line between two messages a minute apart', () => {
  const midnight = Date.parse('2026-11-21T23:00:00Z')
  expect(shape([said({ time: midnight - 1 }), said({ time: midnight })])).toEqual(['beginning', 'day', '(m)', 'day', '(m)'])
})

test('a notice parts a group', () => {
  const joined: TimelineItem = { kind: 'notice', key: 'n', time: noon, seq: 2, notice: { kind: 'joined', person: bob, by: alice } }
  expect(shape([said(), joined, said()])).toEqual(['beginning', 'day', '(m)', 'notice', '(m)'])
})

test('between two people nobody is told that the other one joined', () => {
  const joined: TimelineItem = { kind: 'notice', key: 'n', time: noon, seq: 1, notice: { kind: 'joined', person: bob, by: alice } }
  expect(shape([joined, said()], { kind: 'direct' })).toEqual(['beginning', 'day', '(m)'])
  expect(shape([joined, said()], { kind: 'group' })).toEqual(['beginning', 'day', 'notice', '(m)'])
})

test('the unread line stands before the first unread message and parts its group', () => {
  const [read, fresh] = [said(), said()]
  expect(shape([read, fresh], { firstUnread: fresh.key })).toEqual(['beginning', 'day', '(m)', 'unread', '(m)'])
})

test('time and state are drawn once for a group, and again where they differ', () => {
  const meta = (items: readonly TimelineItem[]) => draw(items).flatMap((row) => (row.kind === 'message' ? [row.showsMeta] : []))
  expect(meta([said({ by: alice, state: 'read' }), said({ by: alice, state: 'read' })])).toEqual([false, true])
  expect(meta([said({ by: alice, state: 'read' }), said({ by: alice, state: 'accepted' })])).toEqual([true, true])
  expect(meta([said({ by: alice, state: 'failed' }), said({ by: alice, state: 'failed' })])).toEqual([true, true])
  expect(meta([said({ time: noon }), said({ time: noon + minute })])).toEqual([true, true])
})

test('new messages are counted after the last one seen, own ones not', () => {
  const items = [said(), said(), said({ by: alice }), said()]
  expect(countAfter({ items, key: items[0]?.key })).toBe(2)
  expect(countAfter({ items, key: items[3]?.key })).toBe(0)
})

test('what was seen is the highest position among the visible rows, waiting messages aside', () => {
  const rows = draw([said(), said(), said({ by: alice, state: 'sending' })])
  expect(highestSeq({ rows, end: rows.length })).toBe(rows[1]?.item.seq)
  expect(highestSeq({ rows, end: 1 })).toBe(rows[0]?.item.seq)
  expect(highestSeq({ rows, end: 0 })).toBeUndefined()
})

test('the beginning is above the first item only when nothing comes before it', () => {
  const timeline: Timeline = { items: [said()], hasEarlier: true, typing: [] }
  expect(rowsOf({ timeline, firstUnread: undefined, kind: 'group', dayKey })[0]?.lead.beginning).toBe(false)
})
