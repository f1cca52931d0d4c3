import { expect, test } from 'vitest'
import { AccountId, ConversationId, MessageId } from '@tacit/contract'
import type { IncomingMessage } from './api.ts'
import { MessageStream } from './message-stream.ts'

const messageAt = (seq: number): IncomingMessage => ({
  conversation: ConversationId.parse('AAAAAAAAAAAAAAAAAAAAAA'),
  message: MessageId.parse('AAAAAAAAAAAAAAAAAAAAAA'),
  sender: { account: AccountId.parse('AAAAAAAAAAAAAAAAAAAAAA'), handle: 'Alice' },
  mine: false,
  text: String(seq),
  time: 0,
  seq,
})

test('messages come in order, also those from before the reader asked, until the end', async () => {
  const stream = new MessageStream(() => undefined)
  stream.push([messageAt(1), messageAt(2)])
  const reader = stream.iterate()
  expect((await reader.next()).value.seq).toBe(1)
  expect((await reader.next()).value.seq).toBe(2)
  const third = reader.next()
  stream.push([messageAt(3)])
  expect((await third).value.seq).toBe(3)
  stream.end()
  expect((await reader.next()).done).toBe(true)
})

test('a reader that stops is forgotten', async () => {
  let forgotten = false
  const stream = new MessageStream(() => (forgotten = true))
  stream.push([messageAt(1)])
  for await (const message of stream.iterate()) if (message.seq === 1) break
  expect(forgotten).toBe(true)
})

test('a reader that does not read loses the oldest, not memory', async () => {
  const stream = new MessageStream(() => undefined)
  for (let seq = 1; seq <= 10_500; seq++) stream.push([messageAt(seq)])
  expect((await stream.iterate().next()).value.seq).toBe(501)
})
