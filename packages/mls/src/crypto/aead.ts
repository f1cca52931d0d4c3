/**
 * Authenticated encryption: AES-GCM from the platform, from noble where that has none. Noble's looks up tables, whose timing
 * tells an observer beside it about a key that is used many times; the keys of MLS and of HPKE's single-shot mode are used once.
 */
import type { Bytes } from '../port.ts'
import { MlsError } from '../errors.ts'
import { nodeAes } from '#node'
import { detect } from './webcrypto.ts'

/** What one encryption needs. `nonce` is 12 bytes and never repeats under a key. */
export interface AeadInput {
  readonly key: Bytes
  readonly nonce: Bytes
  readonly aad: Bytes
}

export interface Aead {
  /** HPKE AEAD identifier (RFC 9180 section 7.3). */
  readonly id: number
  readonly keyLength: number
  readonly nonceLength: number
  seal(input: AeadInput, plaintext: Bytes): Promise<Bytes>
  /** Throws `auth_failed` when the tag does not fit. */
  open(input: AeadInput, ciphertext: Bytes): Promise<Bytes>
}

const TAG_LENGTH = 16
const NO_BYTES: Bytes = new Uint8Array()

const nativeAes = detect(async (native) => {
  const key = await native.importKey('raw', new Uint8Array(16), { name: 'AES-GCM' }, false, ['encrypt'])
  const sealed = await native.encrypt(parameters({ key: NO_BYTES, nonce: new Uint8Array(12), aad: NO_BYTES }), key, NO_BYTES)
  return sealed.byteLength === TAG_LENGTH
})

type Gcm = (typeof import('@noble/ciphers/aes.js'))['gcm']
let loaded: Gcm | undefined

/** Noble's, loaded where it is needed alone. */
const inJavaScript = async (): Promise<Gcm> => (loaded ??= (await import('@noble/ciphers/aes.js')).gcm)

const parameters = ({ nonce, aad }: AeadInput) => ({ name: 'AES-GCM', iv: nonce, additionalData: aad, tagLength: 8 * TAG_LENGTH })
/** The refusal of a ciphertext. */
export const forged = (cause?: unknown): MlsError => new MlsError('auth_failed', 'decryption failed', { cause })

const sealWith = async (input: AeadInput, plaintext: Bytes): Promise<Bytes> => {
  const node = nodeAes()
  if (node) return node.seal(input, plaintext)
  const native = await nativeAes()
  if (!native) return (await inJavaScript())(input.key, input.nonce, input.aad).encrypt(plaintext)
  const key = await native.importKey('raw', input.key, { name: 'AES-GCM' }, false, ['encrypt'])
  return new Uint8Array(await native.encrypt(parameters(input), key, plaintext))
}

const openWith = async (input: AeadInput, ciphertext: Bytes): Promise<Bytes> => {
  const node = nodeAes()
  if (node) return node.open(input, ciphertext)
  const native = await nativeAes()
  if (!native) return (await inJavaScript())(input.key, input.nonce, input.aad).decrypt(ciphertext)
  const key = await native.importKey('raw', input.key, { name: 'AES-GCM' }, false, ['decrypt'])
  return new Uint8Array(await native.decrypt(parameters(input), key, ciphertext))
}

const aes = (id: number, keyLength: 16 | 32): Aead => ({
  id,
  keyLength,
  nonceLength: 12,
  seal: sealWith,
  open: async (input, ciphertext) => {
    if (ciphertext.length < TAG_LENGTH) throw forged()
    try {
      return await openWith(input, ciphertext)
    } catch (cause) {
      throw forged(cause)
    }
  },
})

export const AES_128_GCM: Aead = aes(0x0001, 16)
export const AES_256_GCM: Aead = aes(0x0002, 32)
