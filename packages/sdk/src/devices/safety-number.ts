/**
 * What two people compare by another way, so that they know that nobody stands between them: a number made of both account
 * keys, and the same as a code that a device can compare. And one for a whole conversation, which is the same for its members
 * exactly while they are in the same epoch of the same group.
 */
import { concatBytes, equalBytes, fromBase64Url, toBase64Url, type AccountId } from '@tacit/contract'
import { sha256 } from '../sealing.ts'

export interface Identity {
  readonly account: AccountId
  /** Ed25519, 32 bytes. */
  readonly accountKey: Uint8Array
}

/** What a code says when it is compared. */
export type CodeVerdict = 'same' | 'different' | 'not_a_code'

const PREFIX = 'tacit-safety:1:'
const encoder = new TextEncoder()

/** 60 digits in twelve groups of five, the same on both sides: 99 bits for each of the two keys. */
export async function safetyDigits(one: Identity, other: Identity): Promise<string[]> {
  const [first, second] = one.account < other.account ? [one, other] : [other, one]
  return [...digitsOf(await fingerprint(first)), ...digitsOf(await fingerprint(second))]
}

/** The code that `mine` shows and `theirs` compares. */
export async function safetyCode({ mine, theirs }: { readonly mine: Identity; readonly theirs: Identity }): Promise<string> {
  return PREFIX + toBase64Url(concatBytes(await fingerprint(mine), await fingerprint(theirs)))
}

/** Compares the code that the other person's device shows. */
export async function compareCode(code: string, { mine, theirs }: { mine: Identity; theirs: Identity }): Promise<CodeVerdict> {
  const text = code.trim()
  const bytes = text.startsWith(PREFIX) ? fromBase64Url(text.slice(PREFIX.length)) : undefined
  if (bytes?.length !== 64) return 'not_a_code'
  // What is mine there is theirs here.
  const expected = concatBytes(await fingerprint(theirs), await fingerprint(mine))
  if (equalBytes(bytes, expected)) return 'same'
  return equalBytes(bytes, concatBytes(expected.subarray(32), expected.subarray(0, 32))) ? 'not_a_code' : 'different'
}

/** 30 digits of the epoch authenticator (RFC 9420 section 8.7): equal for members who are in the same state. */
export async function conversationDigits(epochAuthenticator: Uint8Array): Promise<string[]> {
  return digitsOf(await sha256(concatBytes(encoder.encode('tacit conversation number v1'), epochAuthenticator)))
}

const fingerprint = ({ account, accountKey }: Identity): Promise<Uint8Array> =>
  sha256(concatBytes(encoder.encode('tacit safety number v1'), encoder.encode(account), accountKey))

/** Six groups of five digits from the first 30 bytes, five bytes each: the bias of the remainder is below 2^-23. */
const digitsOf = (hash: Uint8Array): string[] =>
  Array.from({ length: 6 }, (_, at) => {
    const number = hash.subarray(at * 5, at * 5 + 5).reduce((sum, byte) => sum * 256 + byte, 0)
    return String(number % 100_000).padStart(5, '0')
  })
