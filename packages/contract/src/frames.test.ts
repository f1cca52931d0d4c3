import { describe, expect, test } from 'vitest'
import { encodeCbor } from './cbor.ts'
import {
  commandNames,
  decodeCommand,
  decodeFromServer,
  decodeResult,
  encodeAccepted,
  encodeCommand,
  encodeEvent,
  encodeRefused,
} from './frames.ts'
import { ConversationId, DeviceId } from './ids.ts'

const conversation = ConversationId.parse('AAAAAAAAAAAAAAAAAAAAAA')
const device = DeviceId.parse('BBBBBBBBBBBBBBBBBBBBBA')
const send = { ref: 7, name: 'delivery.send', body: { conversation, epoch: 3, clientSeq: 9, bytes: new Uint8Array([1, 2, 3]) } } as const

describe('frames', () => {
  test('a command arrives as it was sent', () => {
    expect(decodeCommand(encodeCommand(send))).toEqual({ type: 'command', ...send })
  })

  test('entries nested in an event arrive as they were sent', () => {
    const entries = [{ seq: 1, epoch: 0, kind: 'message' as const, sender: device, clientSeq: 1, time: 5, bytes: new Uint8Array(3) }]
    const body = { conversation, head: 1, entries }
    expect(decodeFromServer(encodeEvent({ name: 'delivery.entries', body }))).toEqual({ type: 'event', name: 'delivery.entries', body })
  })

  test('an answer arrives with the result of its command', () => {
    const result = { seq: 4, hash: new Uint8Array(32), duplicate: false }
    const frame = decodeFromServer(encodeAccepted({ ref: 1, name: 'delivery.send', result }))
    expect(frame.type === 'accepted' && decodeResult('delivery.send', frame.result)).toEqual(result)
  })

  test('a refusal keeps its name and details', () => {
    const refusal = { ref: 2, failure: 'stale_epoch', details: { epoch: 4, head: 17 } } as const
    expect(decodeFromServer(encodeRefused(refusal))).toEqual({ type: 'refused', ...refusal })
  })

  test.each([
    ['no CBOR at all', new Uint8Array([0xff, 0xff])],
    ['trailing bytes', new Uint8Array([...encodeCommand(send), 0])],
    ['a number with a longer encoding than needed', new Uint8Array([0x84, 0x18, 0x01, 0x00, 0x03, 0x81, 0x80])],
    ['a megabyte of nested arrays', new Uint8Array(1024 * 1024).fill(0x81)],
    ['a map', new Uint8Array([0xa1, 0x01, 0x02])],
    ['another kind of frame', encodeCbor([4, 1, []])],
  ])('%s is malformed and names no ref', (_what, bytes) => {
    expect(decodeCommand(bytes)).toEqual({ type: 'unreadable', failure: 'malformed' })
  })

  test.each([
    ['a field too many', encodeCbor([1, 7, 4, [conversation, 3, 9, new Uint8Array(1), 0]])],
    ['a field too few', encodeCbor([1, 7, 4, [conversation, 3, 9]])],
    ['a wrong type', encodeCbor([1, 7, 4, [conversation, '3', 9, new Uint8Array(1)]])],
    ['a foreign id', encodeCbor([1, 7, 4, ['nobody', 3, 9, new Uint8Array(1)]])],
    ['an oversize payload', encodeCbor([1, 7, 4, [conversation, 3, 9, new Uint8Array(64 * 1024 + 1)]])],
  ])('a command with %s is malformed and names its ref', (_what, bytes) => {
    expect(decodeCommand(bytes)).toEqual({ type: 'unreadable', failure: 'malformed', ref: 7 })
  })

  test('an unknown command is unsupported, an unknown event ignored', () => {
    expect(decodeCommand(encodeCbor([1, 7, 4000, []]))).toEqual({ type: 'unreadable', failure: 'unsupported', ref: 7 })
    expect(decodeFromServer(encodeCbor([4, 4000, []]))).toEqual({ type: 'unknown' })
  })

  test('every command has a number of its own', () => {
    expect(new Set(commandNames).size).toBe(commandNames.length)
    expect(commandNames).toContain('conversations.commit')
  })
})
