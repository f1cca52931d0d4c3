/**
 * The door for bytes: `ts-mls` decodes leniently (non-minimal lengths, odd presence octets, trailing bytes), so nothing it
 * decoded counts until it re-encodes to the input. Also the only place where its untyped failures become `MlsError`.
 */
import { decodeMlsMessage, encodeMlsMessage } from 'ts-mls'
import type {
  MlsGroupInfo,
  MlsPrivateMessage,
  MlsPublicMessage,
  MlsWelcome,
  GroupInfo,
  KeyPackage,
  MLSMessage,
  PublicMessage,
  RatchetTree,
  Welcome,
} from 'ts-mls'
import { encode } from 'ts-mls/codec/tlsEncoder.js'
import { decodeGroupInfo, groupInfoEncoder } from 'ts-mls/groupInfo.js'
import { decodeKeyPackage, keyPackageEncoder } from 'ts-mls/keyPackage.js'
import { CodecError, CryptoError, CryptoVerificationError, UsageError, ValidationError } from 'ts-mls/mlsError.js'
import { decodeRatchetTree, ratchetTreeEncoder } from 'ts-mls/ratchetTree.js'
import { MlsError } from '../errors.ts'
import type { MlsErrorCause } from '../errors.ts'
import type { Bytes } from '../port.ts'
import { LIMITS } from './suite.ts'

type Decoder<T> = (bytes: Uint8Array, offset: number) => [T, number] | undefined

/** Compares in time that depends on the lengths only. */
export const sameBytes = (a: Bytes, b: Bytes): boolean => {
  if (a.length !== b.length) return false
  let difference = 0
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0)
  return difference === 0
}

/**
 * Decodes all of `input`, no more and no less, from a private copy (`ts-mls` keeps views into what it decodes).
 * Fails with `too_large` or `malformed`.
 */
export const decodeStrict = <T>(
  input: Bytes,
  codec: { decode: Decoder<T>; encode: (value: T) => Bytes; limit: number; what: string },
): T => {
  if (input.length > codec.limit) throw new MlsError('too_large', `${codec.what} of ${input.length} bytes, at most ${codec.limit}`)
  const bytes = new Uint8Array(input)
  try {
    const decoded = codec.decode(bytes, 0)
    if (decoded !== undefined && decoded[1] === bytes.length && sameBytes(codec.encode(decoded[0]), bytes)) return decoded[0]
  } catch (error) {
    // Whatever a decoder throws on foreign bytes (TypeError, RangeError, CodecError), the bytes are at fault.
    throw new MlsError('malformed', `${codec.what} does not decode`, { cause: error })
  }
  throw new MlsError('malformed', `${codec.what} is not canonically encoded`)
}

const decodeMessage = (bytes: Bytes, limit: number, what: string): MLSMessage => {
  if (bytes.length >= 2 && (bytes[0] !== 0 || bytes[1] !== 1)) throw new MlsError('unsupported', 'protocol version')
  return decodeStrict<MLSMessage>(bytes, { decode: decodeMlsMessage, encode: encodeMlsMessage, limit, what })
}

/** Decodes an MLSMessage that must hold a PublicMessage. */
export const decodePublic = (bytes: Bytes): PublicMessage => {
  const message = decodeMessage(bytes, LIMITS.handshake, 'handshake')
  if (message.wireformat !== 'mls_public_message') throw new MlsError('unsupported', 'not a PublicMessage')
  return message.publicMessage
}

/** Decodes an MLSMessage that must hold a Welcome. */
export const decodeWelcomeMessage = (bytes: Bytes): Welcome => {
  const message = decodeMessage(bytes, LIMITS.welcome, 'welcome')
  if (message.wireformat !== 'mls_welcome') throw new MlsError('unsupported', 'not a Welcome')
  return message.welcome
}

/** Decodes an MLSMessage that must hold a GroupInfo. */
export const decodeGroupInfoMessage = (bytes: Bytes): GroupInfo => {
  const message = decodeMessage(bytes, LIMITS.groupInfo, 'group info')
  if (message.wireformat !== 'mls_group_info') throw new MlsError('unsupported', 'not a GroupInfo')
  return message.groupInfo
}

/** Decodes the bare GroupInfo that a Welcome encrypts. */
export const decodeBareGroupInfo = (bytes: Bytes): GroupInfo =>
  decodeStrict(bytes, { decode: decodeGroupInfo, encode: encode(groupInfoEncoder), limit: LIMITS.groupInfo, what: 'group info' })

export const decodeTree = (bytes: Bytes): RatchetTree =>
  decodeStrict(bytes, { decode: decodeRatchetTree, encode: encodeTree, limit: LIMITS.groupInfo, what: 'ratchet tree' })

export const encodeTree = encode(ratchetTreeEncoder)

/** Decodes a KeyPackage as it is published: bare, not wrapped into an MLSMessage. */
export const decodePublishedKeyPackage = (bytes: Bytes): KeyPackage => {
  if (bytes.length >= 2 && (bytes[0] !== 0 || bytes[1] !== 1)) throw new MlsError('unsupported', 'protocol version')
  return decodeStrict(bytes, { decode: decodeKeyPackage, encode: encodeKeyPackage, limit: LIMITS.keyPackage, what: 'key package' })
}

export const encodeKeyPackage = encode(keyPackageEncoder)

/** Encodes as an MLSMessage. */
export const encodeMessage = (message: MlsGroupInfo | MlsPrivateMessage | MlsPublicMessage | MlsWelcome): Bytes =>
  encodeMlsMessage({ version: 'mls10', ...message })

/** Runs `work` and turns whatever `ts-mls` or the platform throws into an `MlsError`. */
export const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw typed(error)
  }
}

const typed = (error: unknown): MlsError => {
  if (error instanceof MlsError) return error
  return new MlsError(causeOf(error), 'the engine refused the input', { cause: error })
}

const causeOf = (error: unknown): MlsErrorCause => {
  if (error instanceof CryptoVerificationError || error instanceof CryptoError) return 'auth_failed'
  if (error instanceof CodecError) return 'malformed'
  if (error instanceof UsageError) return 'usage'
  if (error instanceof ValidationError) return 'invalid'
  return 'invalid'
}
