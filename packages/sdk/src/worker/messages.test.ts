import { expect, test } from 'vitest'
import { MessengerError } from '../api.ts'
import { fromPlainError, protocolVersion, readEnvelope, readFromPage, toPlainError } from './messages.ts'

const call = { type: 'call', id: '1', verb: 'send', request: { text: 'hello' } }

test('what a page says is understood', () => {
  for (const message of [
    call,
    { type: 'watch', key: 'k', topic: 'session', param: undefined },
    { type: 'watch', key: 'k', topic: 'timeline', param: 'AAAAAAAAAAAAAAAAAAAAAA' },
    { type: 'unwatch', key: 'k' },
    { type: 'seen', key: 'k' },
    { type: 'remember', device: true },
    { type: 'close' },
  ]) {
    expect(readFromPage(message)).toEqual(message)
  }
})

test('what is no message of a page is left alone', () => {
  for (const message of [
    undefined,
    null,
    'call',
    {},
    { ...call, id: 1 },
    { ...call, verb: 'constructor' },
    { ...call, verb: 'watch' },
    { ...call, verb: 'close' },
    { type: 'watch', key: 'k', topic: '__proto__' },
    { type: 'watch', key: 'k', topic: 'timeline', param: { toString: 1 } },
    { type: 'watch', topic: 'session' },
    { type: 'remember', device: 'yes' },
    { type: 'i_lead' },
  ]) {
    expect(readFromPage(message)).toBeUndefined()
  }
})

test('what another tab says is understood, and only in our version', () => {
  const envelope = { version: protocolVersion, from: 'tab', to: 'other', body: call }
  expect(readEnvelope(envelope)).toEqual(envelope)
  expect(readEnvelope({ version: protocolVersion, from: 'tab', body: { type: 'i_lead' } })).toEqual({
    version: protocolVersion,
    from: 'tab',
    body: { type: 'i_lead' },
  })
  expect(readEnvelope({ ...envelope, version: 999 })).toEqual({ version: 999 })
  for (const message of [
    null,
    { ...envelope, from: 5 },
    { ...envelope, to: 5 },
    { ...envelope, body: { type: 'close' } },
    { ...envelope, body: 1 },
  ]) {
    expect(readEnvelope(message)).toBeUndefined()
  }
})

test('a refusal is the same on the other side; anything else says nothing about itself', () => {
  const refusal = new MessengerError('rate_limited', 'Wait a little.', { retryAfter: 7, cause: new Error('secret') })
  const arrived = fromPlainError(structuredClone(toPlainError(refusal)))
  expect(arrived).toBeInstanceOf(MessengerError)
  expect(arrived).toMatchObject({ failure: 'rate_limited', message: 'Wait a little.', retryAfter: 7 })
  expect(JSON.stringify(toPlainError(refusal))).not.toContain('secret')
  expect(toPlainError(new TypeError('secret'))).toEqual({ failure: 'internal', message: 'Something went wrong on this device.' })
})
