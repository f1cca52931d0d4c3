import { expect, test } from 'vitest'
import { fromHex, hex } from '../crypto/bytes.ts'
import { vectorTest } from '../crypto/vectors.test-support.ts'
import { suiteOf } from '../crypto/suite.ts'
import { afresh } from './afresh.test-support.ts'
import { bytes, decode, encode, Reader, vector } from './codec.ts'
import type { Codec } from './codec.ts'
import { interimTranscriptHash, confirmedTranscriptHash } from './content-auth.ts'
import { groupSecretsCodec } from './group-info.ts'
import { authenticatedContentCodec, mlsMessageCodec } from './message.ts'
import { commitCodec, proposalBodies } from './proposal.ts'
import { RatchetTree } from './tree.ts'

vectorTest<{ vlbytes_header: string; length: number }>(
  'mls/deserialization.json',
  'length prefixes are read as the official vectors say',
  async (vectors) => {
    for (const { vlbytes_header, length } of vectors) {
      const reader = new Reader(fromHex(vlbytes_header))
      expect(reader.length()).toBe(length)
      reader.expectEnd()
    }
  },
)

const roundTrip = <T>(codec: Codec<T>, encoded: string): void =>
  expect(hex(encode(codec, afresh(decode(codec, fromHex(encoded)))))).toBe(encoded)

vectorTest<Record<string, string>>('mls/messages.json', 'every official message decodes and encodes to the same bytes', async (vectors) => {
  const { hash } = suiteOf(1)
  for (const vector of vectors) {
    const of = (name: string): string => vector[name] ?? ''
    for (const name of [
      'mls_welcome',
      'mls_group_info',
      'mls_key_package',
      'public_message_proposal',
      'public_message_commit',
      'private_message',
    ])
      roundTrip(mlsMessageCodec, of(name))
    roundTrip(RatchetTree.codec(hash), of('ratchet_tree'))
    roundTrip(groupSecretsCodec, of('group_secrets'))
    roundTrip(commitCodec, of('commit'))
    roundTrip(proposalBodies.add, of('add_proposal'))
    roundTrip(proposalBodies.update, of('update_proposal'))
    roundTrip(proposalBodies.remove, of('remove_proposal'))
    roundTrip(proposalBodies.psk, of('pre_shared_key_proposal'))
    roundTrip(proposalBodies.reinit, of('re_init_proposal'))
    roundTrip(proposalBodies.external_init, of('external_init_proposal'))
    roundTrip(proposalBodies.group_context_extensions, of('group_context_extensions_proposal'))
    // RFC 9420 section 6 forbids what this vector shows; the codec could, the door may not (B-100).
    expect(() => decode(mlsMessageCodec, fromHex(of('public_message_application')))).toThrow(expect.objectContaining({ reason: 'invalid' }))
  }
})

interface Transcript {
  cipher_suite: number
  authenticated_content: string
  confirmation_key: string
  interim_transcript_hash_before: string
  confirmed_transcript_hash_after: string
  interim_transcript_hash_after: string
}

vectorTest<Transcript>('mls/transcript-hashes.json', 'transcript hashes agree with the official vectors', async (vectors) => {
  for (const vector of vectors) {
    const by = suiteOf(vector.cipher_suite)
    const content = decode(authenticatedContentCodec, fromHex(vector.authenticated_content))
    const confirmed = await confirmedTranscriptHash(by, fromHex(vector.interim_transcript_hash_before), content)
    expect(hex(confirmed)).toBe(vector.confirmed_transcript_hash_after)
    const tag = content.auth.confirmationTag ?? new Uint8Array()
    expect(hex(by.hash.hmac(fromHex(vector.confirmation_key), confirmed))).toBe(hex(tag))
    expect(hex(interimTranscriptHash(by, confirmed, tag))).toBe(vector.interim_transcript_hash_after)
  }
})

test('B-111: 65,535 extensions or two of one type are refused', () => {
  const extension = encode(vector(bytes), [])
  const twice = Uint8Array.of(8, 0xf0, 1, 1, 9, 0xf0, 1, 1, 9)
  expect(extension).toEqual(Uint8Array.of(0))
  expect(() => decode(proposalBodies.group_context_extensions, twice)).toThrow(expect.objectContaining({ reason: 'malformed' }))
  const many = new Uint8Array(4 + 3 * 65_535)
  new DataView(many.buffer).setUint32(0, 3 * 65_535 + 0x8000_0000)
  for (let type = 0; type < 65_535; type++) new DataView(many.buffer).setUint16(4 + 3 * type, type)
  expect(() => decode(proposalBodies.group_context_extensions, many)).toThrow(expect.objectContaining({ reason: 'too_large' }))
})

test('B-121: a commit with 10,000 proposals is too large before anything is computed', () => {
  const reference = Uint8Array.of(2, 0)
  const proposals = new Uint8Array(4 + 2 * 10_000)
  new DataView(proposals.buffer).setUint32(0, 2 * 10_000 + 0x8000_0000)
  for (let at = 4; at < proposals.length; at += 2) proposals.set(reference, at)
  expect(() => decode(commitCodec, proposals)).toThrow(expect.objectContaining({ reason: 'too_large' }))
})
