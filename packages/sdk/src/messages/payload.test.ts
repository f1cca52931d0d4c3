import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { encodeCbor, MessageId, type CborValue } from '@tacit/contract'
import { encodePayload, LONGEST_TEXT, readPayload, type Payload } from './payload.ts'

const message = MessageId.parse('AAAAAAAAAAAAAAAAAAAAAA')
const transcript = new Uint8Array(32).fill(7)
const payload: Payload = { kind: 'text', message, clientSeq: 3, seen: { seq: 9, transcript }, text: 'Grüße, 世界' }
const fields = (...change: readonly [at: number, value: CborValue][]): CborValue[] => {
  const all: CborValue[] = [1, 'text', message, 3, 9, transcript, 'hello']
  for (const [at, value] of change) all[at] = value
  return all
}

test('what was written is what is read', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), fc.nat(), fc.nat(), (text, clientSeq, seq) => {
      const written: Payload = { ...payload, text, clientSeq, seen: { seq, transcript } }
      expect(readPayload(encodePayload(written))).toEqual({ kind: 'payload', payload: written })
    }),
  )
})

describe('a message of a newer client', () => {
  test('may have more fields at the end', () => {
    expect(readPayload(encodeCbor([...fields(), 'more', [1, 2]])).kind).toBe('payload')
  })

  test('of a kind that is not known is unsupported, and keeps its counter', () => {
    expect(readPayload(encodeCbor(fields([1, 'poll'], [6, new Uint8Array(4)])))).toEqual({ kind: 'unsupported', clientSeq: 3 })
  })
})

test.each<[string, Uint8Array]>([
  ['nothing', new Uint8Array()],
  ['no CBOR', new Uint8Array([0xff, 0x00])],
  ['no array', encodeCbor('hello')],
  ['another version', encodeCbor(fields([0, 2]))],
  ['too few fields', encodeCbor(fields().slice(0, 6))],
  ['a message id that is none', encodeCbor(fields([2, 'x']))],
  ['a counter that is none', encodeCbor(fields([3, '3']))],
  ['a position below zero', encodeCbor(fields([4, -1]))],
  ['a short transcript', encodeCbor(fields([5, new Uint8Array(31)]))],
  ['a text that is none', encodeCbor(fields([6, new Uint8Array(5)]))],
  ['a text that is too long', encodeCbor(fields([6, 'x'.repeat(LONGEST_TEXT + 1)]))],
])('%s is malformed', (_what, bytes) => {
  expect(readPayload(bytes)).toEqual({ kind: 'malformed' })
})
