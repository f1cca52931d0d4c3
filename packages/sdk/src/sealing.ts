/** AES-256-GCM, HKDF and SHA-256 from WebCrypto, in the three shapes that the rooms need. */
import { concatBytes, encodeCbor, fromBase64Url, toBase64Url } from '@tacit/contract'
import type { Random } from './surroundings.ts'

const NONCE = 12

/** Bytes that WebCrypto takes: over an ArrayBuffer of their own. */
export const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)

/** Seals under a 32-byte key: 12 random bytes, then ciphertext and tag. */
export async function sealBytes(request: {
  readonly key: Uint8Array
  readonly bytes: Uint8Array
  readonly context: Uint8Array
  readonly random: Random
}): Promise<Uint8Array<ArrayBuffer>> {
  const nonce = request.random.bytes(NONCE)
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv: nonce, additionalData: owned(request.context) },
    await aesKey(request.key, 'encrypt'),
    owned(request.bytes),
  )
  return concatBytes(nonce, new Uint8Array(sealed))
}

/** The inverse of `sealBytes`; undefined when key, context or bytes are not the ones that were sealed. */
export async function openBytes(request: {
  readonly key: Uint8Array
  readonly sealed: Uint8Array
  readonly context: Uint8Array
}): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { key, sealed, context } = request
  if (sealed.length < NONCE + 16) return undefined
  const algorithm = { name: 'AES-GCM', iv: owned(sealed.subarray(0, NONCE)), additionalData: owned(context) }
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, await aesKey(key, 'decrypt'), owned(sealed.subarray(NONCE))))
  } catch {
    return undefined
  }
}

/** HKDF-SHA-256 (RFC 5869) to 32 bytes. */
export async function deriveKey(request: {
  readonly secret: Uint8Array
  readonly salt: Uint8Array
  readonly info: Uint8Array
}): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey('raw', owned(request.secret), 'HKDF', false, ['deriveBits'])
  const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: owned(request.salt), info: owned(request.info) }
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, 256))
}

export async function sha256(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', owned(bytes)))
}

/** A text as context or label: its CBOR encoding, so that no two lists of fields read alike. */
export const labelled = (...fields: readonly (string | number)[]): Uint8Array<ArrayBuffer> => encodeCbor(fields)

/** A fresh 16-byte id as text, parsed to its brand. */
export const mintId = <T>(random: Random, kind: { parse(text: string): T }): T => kind.parse(toBase64Url(random.bytes(16)))

/** The 16 bytes of an id. */
export function idBytes(id: string): Uint8Array<ArrayBuffer> {
  const bytes = fromBase64Url(id)
  if (!bytes) throw new TypeError('not an id')
  return bytes
}

async function aesKey(key: Uint8Array, use: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', owned(key), 'AES-GCM', false, [use])
}
