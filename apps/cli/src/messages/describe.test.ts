import { expect, test } from 'vitest'
import type { IncomingMessage, Person, TimelineItem } from '@tacit/sdk'
import { historyLines, incomingJson, itemJson } from './describe.ts'

const alice: Person = { account: 'alice-account' as Person['account'], handle: 'Alice' }
const bob: Person = { account: 'bob-account' as Person['account'], handle: 'bob' }
const time = Date.UTC(2026, 10, 21, 14, 5)

const incoming: IncomingMessage = {
  conversation: 'conversation-id' as IncomingMessage['conversation'],
  message: 'message-id' as IncomingMessage['message'],
  sender: bob,
  mine: false,
  text: 'Hello',
  time,
  seq: 7,
}

const message = (text: string, mine: boolean): TimelineItem => ({
  kind: 'message',
  key: 'k',
  message: incoming.message,
  sender: mine ? alice : bob,
  mine,
  text,
  time,
  seq: 7,
  state: { kind: 'read' },
})

test('a line of listen has the fields that scripts were promised', () => {
  expect(incomingJson(incoming, 'Trip')).toEqual({
    event: 'message',
    conversation: 'conversation-id',
    title: 'Trip',
    message: 'message-id',
    seq: 7,
    sender: { account: 'bob-account', handle: 'bob' },
    mine: false,
    text: 'Hello',
    time: '2026-11-21T14:05:00.000Z',
  })
})

test('a time that no calendar has does not stop a script', () => {
  expect(incomingJson({ ...incoming, time: 9e15 }, 'Trip').time).toBeNull()
})

test('history shows days, times, speakers and the state of own messages', () => {
  expect(historyLines([message('Hi', false), message('Hello\nthere', true)], 'UTC')).toEqual([
    '— Saturday 21 November 2026 —',
    '14:05  bob: Hi',
    '14:05  you: Hello',
    '       there  (read)',
  ])
})

test('a message of several lines cannot pass for a message of somebody else', () => {
  const [, first, ...forged] = historyLines([message('Hi\n14:06  Alice: I agree\r\u202814:07  Alice: yes', false)], 'UTC')
  expect(first).toBe('14:05  bob: Hi')
  expect(forged.every((line) => line.startsWith('       '))).toBe(true)
})

test('every warning is in the words and in the data', () => {
  const notice: TimelineItem = { kind: 'notice', key: 'n', time, seq: 8, notice: { kind: 'identity_changed', person: bob } }
  expect(historyLines([notice], 'UTC').join()).toContain('WARNING')
  expect(itemJson(notice)).toMatchObject({ kind: 'notice', notice: 'identity_changed', seq: 8 })
})
