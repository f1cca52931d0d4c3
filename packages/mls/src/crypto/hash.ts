/**
 * Hash, HMAC and HKDF (RFC 5869). Synchronous and in JavaScript: over the forty bytes that MLS derives from, one call into
 * WebCrypto costs ten times the hashing. Over a whole commit or ratchet tree it is the other way round, hence the `long` ones.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import type { Bytes } from '../port.ts'
import { concat } from './bytes.ts'
import { subtle } from './webcrypto.ts'

export interface Hash {
  /** Output length in bytes, `KDF.Nh` of RFC 9420. */
  readonly length: number
  digest(...parts: readonly Bytes[]): Bytes
  hmac(key: Bytes, message: Bytes): Bytes
  /** As `digest` and `hmac`, faster for inputs of many kilobytes. */
  longDigest(message: Bytes): Promise<Bytes>
  longHmac(key: Bytes, message: Bytes): Promise<Bytes>
  /** HKDF-Extract. */
  extract(salt: Bytes, ikm: Bytes): Bytes
  /** HKDF-Expand to `length` bytes. */
  expand(prk: Bytes, info: Bytes, length: number): Bytes
  /** HKDF-Expand several times under one key, which is absorbed once. */
  expandAll(prk: Bytes, wanted: readonly { readonly info: Bytes; readonly length: number }[]): Bytes[]
}

/** From here on a call into WebCrypto pays. */
const LONG = 8192

const hashWith = (name: string, algorithm: typeof sha256 | typeof sha384 | typeof sha512): Hash => {
  const native = (message: Bytes) => (message.length >= LONG ? subtle : undefined)
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
    longDigest: async (message) => new Uint8Array((await native(message)?.digest(name, message)) ?? algorithm(message)),
    longHmac: async (key, message) => {
      const by = native(message)
      if (!by) return mac(key, message)
      const parameters = { name: 'HMAC', hash: name }
      // WebCrypto refuses an empty key; HMAC pads it with zeros anyway.
      const imported = await by.importKey('raw', key.length > 0 ? key : new Uint8Array(size), parameters, false, ['sign'])
      return new Uint8Array(await by.sign(parameters, imported, message))
    },
    // HMAC pads its key with zeros, so an empty salt is the all-zero salt of RFC 5869.
    extract: mac,
    expand: (prk, info, length) => blocksOf((message) => mac(prk, message), { info, length, size }),
    expandAll: (prk, wanted) => {
      const keyed = hmac.create(algorithm, prk)
      const made = wanted.map((each) => blocksOf((message) => keyed.clone().update(message).digest(), { ...each, size }))
      keyed.destroy()
      return made
    },
  }
}

/** HKDF-Expand (RFC 5869 section 2.3). */
const blocksOf = (mac: (message: Bytes) => Bytes, { info, length, size }: { info: Bytes; length: number; size: number }): Bytes => {
  const first = mac(concat(info, Uint8Array.of(1)))
  if (length === size) return first
  if (length < size) return first.slice(0, length)
  const blocks = [first]
  for (let last = first; blocks.length * size < length; blocks.push(last)) last = mac(concat(last, info, Uint8Array.of(blocks.length + 1)))
  return concat(...blocks).slice(0, length)
}

export const SHA256: Hash = hashWith('SHA-256', sha256)
export const SHA384: Hash = hashWith('SHA-384', sha384)
export const SHA512: Hash = hashWith('SHA-512', sha512)
