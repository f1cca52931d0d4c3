/**
 * NACK: a member device's signed word that it could not process a commit (RFC 9750 section 5.3). It is an entry of the log
 * and outside of MLS, because its sender has no epoch to seal it in. The others see who needs to be brought back.
 */
import { z } from 'zod'
import { rawBytes } from './bytes.ts'
import { encodeCbor, type CborValue } from './cbor.ts'
import { ConversationId, DeviceId } from './ids.ts'
import { isSignedBy, parseCbor, signedBytes, type Sign } from './signed.ts'

const LABEL = 'tacit nack v1'

export interface Nack {
  readonly conversation: ConversationId
  /** Who could not process it. */
  readonly device: DeviceId
  /** The device's counter for this entry. */
  readonly clientSeq: number
  /** Position of the commit. */
  readonly commit: number
  /** SHA-256 of the commit as the device was given it. */
  readonly hash: Uint8Array
}

const NackArray = z.tuple([
  ConversationId,
  DeviceId,
  z.int().min(1),
  z.int().min(1),
  rawBytes({ min: 32, max: 32 }),
  rawBytes({ min: 64, max: 64 }),
])

/** Signs with the device's signature key, the one its certificate names, and encodes (about 190 bytes). */
export async function signNack(nack: Nack, sign: Sign): Promise<Uint8Array<ArrayBuffer>> {
  const fields = fieldsOf(nack)
  return encodeCbor([...fields, await sign(signedBytes(LABEL, fields))])
}

/** The statement, if it is canonical. Whose word it is, only `isNackOf` says. */
export function readNack(bytes: Uint8Array): Nack | undefined {
  return parse(bytes)?.nack
}

/** Whether the signature is by this key (Ed25519, 32 bytes). */
export async function isNackOf(bytes: Uint8Array, signatureKey: Uint8Array): Promise<boolean> {
  const parsed = parse(bytes)
  if (!parsed) return false
  return isSignedBy({ key: signatureKey, signature: parsed.signature, message: signedBytes(LABEL, fieldsOf(parsed.nack)) })
}

const fieldsOf = ({ conversation, device, clientSeq, commit, hash }: Nack): CborValue[] => [conversation, device, clientSeq, commit, hash]

function parse(bytes: Uint8Array): { readonly nack: Nack; readonly signature: Uint8Array } | undefined {
  const parsed = parseCbor(NackArray, bytes)
  if (!parsed) return undefined
  const [conversation, device, clientSeq, commit, hash, signature] = parsed
  return { nack: { conversation, device, clientSeq, commit, hash }, signature }
}
