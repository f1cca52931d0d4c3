/**
 * What a sealed message carries: CBOR [1, kind, message_id, client_seq, seen_seq, H_seen, body], and sometimes the sender's
 * newest head of the log of device lists. The counter and what the sender had seen are signed with it, so neither server nor
 * members can replay, drop or reorder unnoticed.
 *
 * Newer clients may append fields and invent kinds: fields at the end are ignored, an unknown kind is `unsupported`, which
 * a timeline shows as such.
 */
import { CborError, decodeCbor, encodeCbor, LONGEST_HEAD, MessageId } from '@tacit/contract'
import { readSeen, type Seen } from '../conversations/transcript.ts'

/** `continues`: this group goes on from another one, whose id is the text. */
export type ContentKind = 'text' | 'title' | 'continues'

export const asContentKind = (kind: unknown): ContentKind | undefined =>
  kind === 'text' || kind === 'title' || kind === 'continues' ? kind : undefined

export interface Payload {
  readonly kind: ContentKind
  readonly message: MessageId
  readonly clientSeq: number
  readonly seen: Seen
  /** The message's words, the group's new title, or the conversation that was before. */
  readonly text: string
  /** As the server signed it (`readHead`), not yet looked at. */
  readonly head?: Uint8Array | undefined
}

export type ReadPayload =
  | { readonly kind: 'payload'; readonly payload: Payload }
  | { readonly kind: 'unsupported'; readonly clientSeq: number }
  | { readonly kind: 'malformed' }

/** In UTF-8 bytes: with padding to a power of two the sealed message stays under the server's limit of 64 KiB. */
export const LONGEST_TEXT = 30_000
export const LONGEST_TITLE = 200

export const encodePayload = ({ kind, message, clientSeq, seen, text, head }: Payload): Uint8Array<ArrayBuffer> =>
  encodeCbor([1, kind, message, clientSeq, seen.seq, seen.transcript, text, ...(head ? [head] : [])])

export function readPayload(bytes: Uint8Array): ReadPayload {
  const fields = readFields(bytes)
  const [version, named, messageText, clientSeq, seq, transcript, text, told] = fields
  const message = MessageId.safeParse(messageText).data
  const seen = readSeen(seq, transcript)
  if (version !== 1 || !message || !seen || typeof clientSeq !== 'number' || typeof named !== 'string') return { kind: 'malformed' }
  const kind = asContentKind(named)
  if (!kind) return { kind: 'unsupported', clientSeq }
  if (typeof text !== 'string' || byteLength(text) > (kind === 'text' ? LONGEST_TEXT : LONGEST_TITLE)) return { kind: 'malformed' }
  // Something else in its place is of a newer client, and none of our business.
  const head = told instanceof Uint8Array && told.length <= LONGEST_HEAD ? told : undefined
  return { kind: 'payload', payload: { kind, message, clientSeq, seen, text, ...(head && { head }) } }
}

export const byteLength = (text: string): number => new TextEncoder().encode(text).length

function readFields(bytes: Uint8Array): readonly unknown[] {
  try {
    const value = decodeCbor(bytes)
    return Array.isArray(value) ? value : []
  } catch (error) {
    if (error instanceof CborError) return []
    throw error
  }
}
