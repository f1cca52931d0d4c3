/**
 * Hash, HMAC and HKDF (RFC 5869). Synchronous and in JavaScript: over the forty bytes that MLS derives from, one call into
 * WebCrypto costs ten times the hashing.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import type { Bytes } from '../port.ts'
import { concat, NONE } from './bytes.ts'

export interface Hash {
  /** Output length in bytes, `KDF.Nh` of RFC 9420. */
  readonly length: number
  digest(...parts: readonly Bytes[]): Bytes
  hmac(key: Bytes, message: Bytes): Bytes
  /** HKDF-Extract. */
  extract(salt: Bytes, ikm: Bytes): Bytes
  /** HKDF-Expand to `length` bytes. */
  expand(prk: Bytes, info: Bytes, length: number): Bytes
}

const hashWith = (algorithm: typeof sha256 | typeof sha384 | typeof sha512): Hash => {
  const mac = (key: Bytes, message: Bytes): Bytes => hmac(algorithm, key, message)
  const size = algorithm.outputLen
  return {
    length: size,
    digest: (...parts) => {
      const state = algorithm.create()
      for (const part of parts) state.update(part)
      return state.digest()
    },
    hmac: mac,
    // HMAC pads its key with zeros, so an empty salt is the all-zero salt of RFC 5869.
    extract: mac,
    expand: (prk, info, length) => {
      const blocks: Bytes[] = []
      for (let made = 0, last = NONE; made < length; made += size) {
        last = mac(prk, concat(last, info, Uint8Array.of(blocks.length + 1)))
        blocks.push(last)
      }
      return blocks.length === 1 ? (blocks[0] ?? NONE).slice(0, length) : concat(...blocks).slice(0, length)
    },
  }
}

export const SHA256: Hash = hashWith(sha256)
export const SHA384: Hash = hashWith(sha384)
export const SHA512: Hash = hashWith(sha512)
