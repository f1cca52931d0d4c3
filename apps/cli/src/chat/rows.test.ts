import { expect, test } from 'vitest'
import type { Person, TimelineItem } from '@tacit/sdk'
import { rowsOf } from './rows.ts'
import type { Row } from './rows.ts'

const alice: Person = { account: 'alice' as Person['account'], handle: 'Alice' }
const bob: Person = { account: 'bob' as Person['account'], handle: 'bob' }
const noon = Date.UTC(2026, 10, 21, 12)
const MINUTE = 60_000

type Message = Extract<TimelineItem, { kind: 'message' }>

function says(sender: Person, text: string, time: number): Message {
  const message = text as Message['message']
  return { kind: 'message', key: text, message, sender, mine: sender === alice, text, time, seq: time, state: { kind: 'accepted' } }
}

const shape = (rows: readonly Row[]): string[] =>
  rows.map((row) =>
    row.kind === 'heading' ? `${row.name} ${row.time}` : row.kind === 'words' ? `  ${row.text}` : row.kind === 'unread' ? 'new' : row.text,
  )

test('a heading is shown where the speaker changes, and again after a pause', () => {
  const items = [
    says(alice, 'one', noon),
    says(alice, 'two', noon + MINUTE),
    says(bob, 'three', noon + 2 * MINUTE),
    says(bob, 'four', noon + 30 * MINUTE),
  ]
  expect(shape(rowsOf({ items, zone: 'UTC' }))).toEqual([
    'Saturday 21 November 2026',
    'Alice 12:00',
    '  one',
    '  two',
    'bob 12:02',
    '  three',
    'bob 12:30',
    '  four',
  ])
})

test('a day begins at midnight of the reader', () => {
  const items = [says(bob, 'late', Date.UTC(2026, 10, 21, 14, 59)), says(bob, 'later', Date.UTC(2026, 10, 21, 15, 0))]
  expect(shape(rowsOf({ items, zone: 'Asia/Tokyo' }))).toEqual([
    'Saturday 21 November 2026',
    'bob 23:59',
    '  late',
    'Sunday 22 November 2026',
    'bob 00:00',
    '  later',
  ])
  expect(rowsOf({ items, zone: 'UTC' }).filter(({ kind }) => kind === 'day')).toHaveLength(1)
})

test('what is unread begins under a mark, with its speaker named', () => {
  const items = [says(bob, 'old', noon), says(bob, 'fresh', noon + MINUTE)]
  expect(shape(rowsOf({ items, firstUnread: 'fresh', zone: 'UTC' })).slice(3)).toEqual(['new', 'bob 12:01', '  fresh'])
})

test('only own messages carry a state', () => {
  const states = rowsOf({ items: [says(alice, 'mine', noon), says(bob, 'theirs', noon)], zone: 'UTC' }).flatMap((row) =>
    row.kind === 'words' ? [row.state?.kind] : [],
  )
  expect(states).toEqual(['accepted', undefined])
})

test('a changed identity is an alarm, a rename is not', () => {
  const items: TimelineItem[] = [
    { kind: 'notice', key: 'a', time: noon, seq: 1, notice: { kind: 'identity_changed', person: bob } },
    { kind: 'notice', key: 'b', time: noon, seq: 2, notice: { kind: 'renamed', title: 'Trip', by: bob } },
  ]
  expect(rowsOf({ items, zone: 'UTC' }).flatMap((row) => (row.kind === 'notice' ? [row.alarm] : []))).toEqual([true, false])
})

test('a very long text does not take over the screen', () => {
  const [row] = rowsOf({ items: [says(bob, 'x'.repeat(60_000), noon)], zone: 'UTC' }).filter(({ kind }) => kind === 'words')
  expect(row?.kind === 'words' && row.text.length).toBeLessThan(2100)
})
