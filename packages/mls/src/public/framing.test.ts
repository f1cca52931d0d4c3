import { expect, test } from 'vitest'
import { decode, encode, opaque, optional, uint8, vector } from './codec.ts'
import { readFramingHeader } from './framing.ts'

const privateMessage = Uint8Array.from([0, 1, 0, 2, 2, 7, 8, 0, 0, 0, 0, 0, 0, 0, 5, 1, 0, 1, 9, 2, 3, 4])
const publicProposal = Uint8Array.from([0, 1, 0, 1, 2, 7, 8, 0, 0, 0, 0, 0, 0, 0, 5, 1, 0, 0, 0, 3, 1, 0xaa, 2, 0, 3, 0, 0, 0, 1])

test('the header of a private message names group, epoch and content type, and hides the sender', () => {
  expect(readFramingHeader(privateMessage)).toEqual({
    wireFormat: 'private',
    groupId: Uint8Array.of(7, 8),
    epoch: 5n,
    contentType: 'application',
    authenticatedData: new Uint8Array(),
  })
})

test('the header of a public message names its sender', () => {
  expect(readFramingHeader(publicProposal)).toMatchObject({
    wireFormat: 'public',
    epoch: 5n,
    contentType: 'proposal',
    sender: { kind: 'member', leafIndex: 3 },
    authenticatedData: Uint8Array.of(0xaa),
  })
})

test('B-089 B-090: a truncated private message and one with a trailing byte are malformed', () => {
  for (let length = 0; length < privateMessage.length; length++)
    expect(() => readFramingHeader(privateMessage.slice(0, length))).toThrow(expect.objectContaining({ reason: 'malformed' }))
  expect(() => readFramingHeader(Uint8Array.of(...privateMessage, 0))).toThrow(expect.objectContaining({ reason: 'malformed' }))
})

test('B-091 B-092: length prefixes that are not minimal or start with 11 are malformed', () => {
  for (const prefix of [
    [0x40, 1, 5],
    [0x80, 0, 0, 1, 5],
    [0x80, 0, 0x3f, 0xff],
    [0xc0, 5],
  ])
    expect(() => decode(opaque(), Uint8Array.from(prefix))).toThrow(expect.objectContaining({ reason: 'malformed' }))
})

test('B-093: a vector that claims 2^30-1 bytes with 10 present is malformed', () => {
  const claim = Uint8Array.of(0xbf, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  expect(() => decode(opaque(2 ** 30), claim)).toThrow(expect.objectContaining({ reason: 'malformed' }))
  expect(() => decode(opaque(1000), claim)).toThrow(expect.objectContaining({ reason: 'too_large' }))
})

test('B-094: a presence octet above 1 is malformed', () => {
  for (let octet = 2; octet < 256; octet++)
    expect(() => decode(optional(uint8), Uint8Array.of(octet, 0))).toThrow(expect.objectContaining({ reason: 'malformed' }))
})

test('B-095: an unknown version, wire format, content type or sender type is unsupported', () => {
  const changed = (at: number, value: number) => privateMessage.map((byte, index) => (index === at ? value : byte))
  for (const message of [changed(1, 2), changed(3, 9), changed(15, 4), publicProposal.map((byte, at) => (at === 15 ? 7 : byte))])
    expect(() => readFramingHeader(message)).toThrow(expect.objectContaining({ reason: 'unsupported' }))
})

test('B-100: application data in a public message is refused', () => {
  const application = publicProposal.map((byte, at) => (at === 22 ? 1 : byte))
  expect(() => readFramingHeader(application)).toThrow(expect.objectContaining({ reason: 'invalid' }))
})

test('a vector is prefixed as shortly as its content allows', () => {
  for (const length of [0, 63, 64, 16_383, 16_384]) {
    const encoded = encode(
      vector(uint8),
      Array.from({ length }, () => 7),
    )
    expect(encoded.length - length).toBe(length < 64 ? 1 : length < 16_384 ? 2 : 4)
    expect(decode(vector(uint8), encoded)).toHaveLength(length)
  }
})
