import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { encodeCbor } from '@tacit/contract'
import {
  EMPTY_TRANSCRIPT,
  encodeHandshakeData,
  encodeNote,
  nextTranscript,
  readHandshakeData,
  readNote,
  seenBy,
  UNKNOWN_TRANSCRIPT,
} from './transcript.ts'

const hash = new Uint8Array(32).fill(3)

test('H_n is the hash of the label, H_(n-1), n and the hash of the entry', async () => {
  const position = Buffer.alloc(8)
  position.writeBigUInt64BE(258n)
  const expected = createHash('sha256').update('log').update(EMPTY_TRANSCRIPT).update(position).update(hash).digest()
  expect(await nextTranscript({ before: EMPTY_TRANSCRIPT, seq: 258, hash })).toEqual(new Uint8Array(expected))
})

test('a transcript that is not known stays unknown, and its owner claims nothing', async () => {
  expect(await nextTranscript({ before: UNKNOWN_TRANSCRIPT, seq: 5, hash })).toEqual(UNKNOWN_TRANSCRIPT)
  expect(seenBy({ cursor: 5, transcript: UNKNOWN_TRANSCRIPT })).toEqual({ seq: 0, transcript: EMPTY_TRANSCRIPT })
})

test('what a handshake and a note say is what is read', () => {
  const seen = { seq: 12, transcript: hash }
  expect(readHandshakeData(encodeHandshakeData({ clientSeq: 4, seen }))).toEqual({ clientSeq: 4, seen })
  expect(readNote(encodeNote(seen))).toEqual(seen)
})

test('without a note the transcript starts at the beginning; data that is none says nothing', () => {
  expect(readNote(new Uint8Array())).toEqual({ seq: 0, transcript: EMPTY_TRANSCRIPT })
  expect(readHandshakeData(encodeCbor([1, 2, new Uint8Array(31)]))).toBeUndefined()
  expect(readHandshakeData(new Uint8Array([0xff]))).toBeUndefined()
})
