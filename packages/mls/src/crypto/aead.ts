/**
 * Authenticated encryption: AES-GCM from WebCrypto for long inputs, from noble for short ones, where a call into WebCrypto
 * costs more than the cipher; ChaCha20-Poly1305 from noble. Noble's AES looks up tables, whose timing tells about a key that
 * is used many times beside an observer; the keys of MLS and of HPKE's single-shot mode are used once.
 */
import { gcm } from '@noble/ciphers/aes.js'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import type { Bytes } from '../port.ts'
import { MlsError } from '../errors.ts'
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

/** Bytes from which on WebCrypto is the faster one. */
const LONG = 1024

const nativeAes = detect(async (native) => {
  const key = await native.importKey('raw', new Uint8Array(16), { name: 'AES-GCM' }, false, ['encrypt'])
  const sealed = await native.encrypt(parameters({ key: NO_BYTES, nonce: new Uint8Array(12), aad: NO_BYTES }), key, NO_BYTES)
  return sealed.byteLength === TAG_LENGTH
})

const NO_BYTES: Bytes = new Uint8Array()
const parameters = ({ nonce, aad }: AeadInput) => ({ name: 'AES-GCM', iv: nonce, additionalData: aad, tagLength: 8 * TAG_LENGTH })
const forged = (cause?: unknown): MlsError => new MlsError('auth_failed', 'decryption failed', { cause })

const aes = (id: number, keyLength: 16 | 32): Aead => ({
  id,
  keyLength,
  nonceLength: 12,
  seal: async (input, plaintext) => {
    const native = plaintext.length < LONG ? undefined : await nativeAes()
    if (!native) return gcm(input.key, input.nonce, input.aad).encrypt(plaintext)
    const key = await native.importKey('raw', input.key, { name: 'AES-GCM' }, false, ['encrypt'])
    return new Uint8Array(await native.encrypt(parameters(input), key, plaintext))
  },
  open: async (input, ciphertext) => {
    if (ciphertext.length < TAG_LENGTH) throw forged()
    const native = ciphertext.length < LONG ? undefined : await nativeAes()
    try {
      if (!native) return gcm(input.key, input.nonce, input.aad).decrypt(ciphertext)
      const key = await native.importKey('raw', input.key, { name: 'AES-GCM' }, false, ['decrypt'])
      return new Uint8Array(await native.decrypt(parameters(input), key, ciphertext))
    } catch (cause) {
      throw forged(cause)
    }
  },
})

export const AES_128_GCM: Aead = aes(0x0001, 16)
export const AES_256_GCM: Aead = aes(0x0002, 32)

export const CHACHA20_POLY1305: Aead = {
  id: 0x0003,
  keyLength: 32,
  nonceLength: 12,
  seal: async ({ key, nonce, aad }, plaintext) => chacha20poly1305(key, nonce, aad).encrypt(plaintext),
  open: async ({ key, nonce, aad }, ciphertext) => {
    try {
      return chacha20poly1305(key, nonce, aad).decrypt(ciphertext)
    } catch (cause) {
      throw forged(cause)
    }
  },
}
