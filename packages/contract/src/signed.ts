/**
 * What signed statements have in common: deterministic CBOR arrays with the signature last, made over a label and the rest.
 * The label keeps a signature of one kind from passing for another.
 */
import type { z } from 'zod'
import { concatBytes } from './bytes.ts'
import { decodeCbor, encodeCbor, type CborValue } from './cbor.ts'
import { isWeakEd25519Key } from './weak-keys.ts'

/** Makes an Ed25519 signature (RFC 8032), 64 bytes. */
export type Sign = (message: Uint8Array) => Promise<Uint8Array>

/** What is signed: the label and the fields, one after the other. */
export const signedBytes = (label: string, fields: readonly CborValue[]): Uint8Array<ArrayBuffer> =>
  concatBytes(encodeCbor(label), encodeCbor(fields))

/** The fields, if the bytes are canonical and of this shape. */
export function parseCbor<S extends z.ZodType>(schema: S, bytes: Uint8Array): z.output<S> | undefined {
  try {
    return schema.safeParse(decodeCbor(bytes)).data
  } catch {
    return undefined
  }
}

/** Whether an Ed25519 key made the signature; false for keys of small order, under which anything verifies. */
export async function isSignedBy(claim: { key: Uint8Array; signature: Uint8Array; message: Uint8Array<ArrayBuffer> }): Promise<boolean> {
  if (isWeakEd25519Key(claim.key)) return false
  try {
    const publicKey = await crypto.subtle.importKey('raw', new Uint8Array(claim.key), 'Ed25519', false, ['verify'])
    return await crypto.subtle.verify('Ed25519', publicKey, new Uint8Array(claim.signature), claim.message)
  } catch {
    return false
  }
}
