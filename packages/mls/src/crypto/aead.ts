/** Authenticated encryption: AES-GCM from WebCrypto (constant time), from noble where that is missing or dear. */
import type { Bytes } from '../port.ts'
import { MlsError } from '../errors.ts'
import { detect, isNode } from './webcrypto.ts'
import type { Subtle } from './webcrypto.ts'

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

/**
 * Node hands every WebCrypto call to another thread, which costs more than enciphering this many bytes here. Noble's AES
 * looks up tables, whose timing tells an observer beside it about a key that is used many times; the keys of MLS and of
 * HPKE's single-shot mode are used once.
 */
const WORTH_A_THREAD = 1024

const nativeAes = detect(async (native) => {
  const key = await native.importKey('raw', new Uint8Array(16), { name: 'AES-GCM' }, false, ['encrypt'])
  const sealed = await native.encrypt(parameters({ key: NO_BYTES, nonce: new Uint8Array(12), aad: NO_BYTES }), key, NO_BYTES)
  return sealed.byteLength === TAG_LENGTH
})

const nativeFor = async (length: number) => (isNode && length < WORTH_A_THREAD ? undefined : nativeAes())

type Gcm = (typeof import('@noble/ciphers/aes.js'))['gcm']
let loaded: Gcm | undefined

/** Noble's, loaded where it is needed alone. */
const inJavaScript = async (): Promise<Gcm> => (loaded ??= (await import('@noble/ciphers/aes.js')).gcm)

const parameters = ({ nonce, aad }: AeadInput) => ({ name: 'AES-GCM', iv: nonce, additionalData: aad, tagLength: 8 * TAG_LENGTH })
/** The refusal of a ciphertext. */
export const forged = (cause?: unknown): MlsError => new MlsError('auth_failed', 'decryption failed', { cause })

const openNatively =
  (native: Subtle, input: AeadInput) =>
  async (ciphertext: Bytes): Promise<Bytes> => {
    const key = await native.importKey('raw', input.key, { name: 'AES-GCM' }, false, ['decrypt'])
    return new Uint8Array(await native.decrypt(parameters(input), key, ciphertext))
  }

const openInJavaScript =
  (gcm: Gcm, { key, nonce, aad }: AeadInput) =>
  (ciphertext: Bytes): Bytes =>
    gcm(key, nonce, aad).decrypt(ciphertext)

const aes = (id: number, keyLength: 16 | 32): Aead => ({
  id,
  keyLength,
  nonceLength: 12,
  seal: async (input, plaintext) => {
    const native = await nativeFor(plaintext.length)
    if (!native) return (await inJavaScript())(input.key, input.nonce, input.aad).encrypt(plaintext)
    const key = await native.importKey('raw', input.key, { name: 'AES-GCM' }, false, ['encrypt'])
    return new Uint8Array(await native.encrypt(parameters(input), key, plaintext))
  },
  open: async (input, ciphertext) => {
    if (ciphertext.length < TAG_LENGTH) throw forged()
    const native = await nativeFor(ciphertext.length)
    const open = native ? openNatively(native, input) : openInJavaScript(await inJavaScript(), input)
    try {
      return await open(ciphertext)
    } catch (cause) {
      throw forged(cause)
    }
  },
})

export const AES_128_GCM: Aead = aes(0x0001, 16)
export const AES_256_GCM: Aead = aes(0x0002, 32)
