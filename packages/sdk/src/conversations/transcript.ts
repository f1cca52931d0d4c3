/**
 * The transcript: a hash over everything that is in the log, so that members can tell whether the server shows them the
 * same. H_n = SHA-256("log" || H_(n-1) || uint64be(n) || hash_n), and H_0 is 32 zero bytes.
 *
 * Every message says what its sender had seen; handshakes say so in their authenticated data.
 */
import { concatBytes, decodeCbor, encodeCbor } from '@tacit/contract'
import { sha256 } from '../sealing.ts'

const LOG = new TextEncoder().encode('log')

/** No H at all: a joiner may have to begin without one, and takes the first that somebody vouches for. */
export const UNKNOWN_TRANSCRIPT = new Uint8Array()

/** What this device can say of what it saw: without a transcript only what holds for everybody. */
export const seenBy = ({ cursor, transcript }: { readonly cursor: number; readonly transcript: Uint8Array }): Seen =>
  transcript.length === 0 ? { seq: 0, transcript: EMPTY_TRANSCRIPT } : { seq: cursor, transcript }

/** H_0. */
export const EMPTY_TRANSCRIPT = new Uint8Array(32)

export async function nextTranscript(entry: {
  readonly before: Uint8Array
  readonly seq: number
  readonly hash: Uint8Array
}): Promise<Uint8Array<ArrayBuffer>> {
  if (entry.before.length === 0) return UNKNOWN_TRANSCRIPT
  const position = new DataView(new ArrayBuffer(8))
  position.setBigUint64(0, BigInt(entry.seq))
  return sha256(concatBytes(LOG, entry.before, new Uint8Array(position.buffer), entry.hash))
}

/** What a sender had stored when it sealed. */
export interface Seen {
  readonly seq: number
  readonly transcript: Uint8Array
}

/** Authenticated data of a handshake: CBOR [client_seq, seen_seq, H_seen]. */
export const encodeHandshakeData = ({ clientSeq, seen }: { readonly clientSeq: number; readonly seen: Seen }) =>
  encodeCbor([clientSeq, seen.seq, seen.transcript])

export function readHandshakeData(bytes: Uint8Array): { readonly clientSeq: number; readonly seen: Seen } | undefined {
  const fields = readArray(bytes)
  const [clientSeq, seq, transcript] = fields
  if (typeof clientSeq !== 'number') return undefined
  const seen = readSeen(seq, transcript)
  return seen && { clientSeq, seen }
}

/** The note for joiners in the encrypted GroupInfo: CBOR [seen_seq, H_seen] of the committer. */
export const encodeNote = ({ seq, transcript }: Seen) => encodeCbor([seq, transcript])

/** Without a note the transcript starts at the beginning of the log. */
export function readNote(bytes: Uint8Array): Seen {
  const [seq, transcript] = readArray(bytes)
  return readSeen(seq, transcript) ?? { seq: 0, transcript: EMPTY_TRANSCRIPT }
}

export function readSeen(seq: unknown, transcript: unknown): Seen | undefined {
  if (typeof seq !== 'number' || seq < 0 || !(transcript instanceof Uint8Array) || transcript.length !== 32) return undefined
  return { seq, transcript }
}

function readArray(bytes: Uint8Array): readonly unknown[] {
  try {
    const value = decodeCbor(bytes)
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}
