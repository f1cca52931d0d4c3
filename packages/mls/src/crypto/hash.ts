/**
 * Hash, HMAC and HKDF (RFC 5869). Synchronous: Node has one-shot hashes, elsewhere they are in JavaScript, for over the forty
 * bytes that MLS derives from one call into WebCrypto costs ten times the hashing. Over a key package or a whole commit it is
 * the other way round, hence the `long` ones.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import type { Bytes } from '../port.ts'
import { concat, wipe } from './bytes.ts'
import { nodeHash } from './node.ts'
import { subtle } from './webcrypto.ts'
import type { Subtle } from './webcrypto.ts'

export interface Hash {
  /** Output length in bytes, `KDF.Nh` of RFC 9420. */
  readonly length: number
  digest(...parts: readonly Bytes[]): Bytes
  hmac(key: Bytes, message: Bytes): Bytes
  /** As `digest` and `hmac`, faster for inputs of a kilobyte and more. */
  longDigest(...parts: readonly Bytes[]): Promise<Bytes>
  longHmac(key: Bytes, ...parts: readonly Bytes[]): Promise<Bytes>
  /** HKDF-Extract. */
  extract(salt: Bytes, ikm: Bytes): Bytes
  /** HKDF-Expand to `length` bytes. */
  expand(prk: Bytes, info: Bytes, length: number): Bytes
  /** HKDF-Expand several times under one key, which is absorbed once. */
  expandAll(prk: Bytes, wanted: readonly { readonly info: Bytes; readonly length: number }[]): Bytes[]
}

/** HMAC under one key; `end` forgets the key. */
interface Keyed {
  mac(...parts: readonly Bytes[]): Bytes
  end(): void
}

/** A hash of noble's under way. */
interface HashState {
  update(part: Bytes): unknown
  digest(): Bytes
}

/** What the rest is made of. */
interface Primitive {
  digest(...parts: readonly Bytes[]): Bytes
  keyed(key: Bytes): Keyed
}

/** From here on a call into WebCrypto pays. */
const LONG = 1024

const inJavaScript = (algorithm: typeof sha256 | typeof sha384 | typeof sha512): Primitive => {
  const over = (state: HashState, parts: readonly Bytes[]): Bytes => {
    for (const part of parts) state.update(part)
    return state.digest()
  }
  return {
    digest: (...parts) => over(algorithm.create(), parts),
    keyed: (key) => {
      const state = hmac.create(algorithm, key)
      return { mac: (...parts) => over(state.clone(), parts), end: () => state.destroy() }
    },
  }
}

/** HMAC of RFC 2104 from a hash; `block` is the hash's block size in bytes. */
const inNode = (digest: Primitive['digest'], block: number): Primitive => ({
  digest,
  keyed: (given) => {
    const key = given.length > block ? digest(given) : given
    const [inner, outer] = [new Uint8Array(block).fill(0x36), new Uint8Array(block).fill(0x5c)]
    key.forEach((byte, at) => {
      inner[at] = 0x36 ^ byte
      outer[at] = 0x5c ^ byte
    })
    return { mac: (...parts) => digest(outer, digest(inner, ...parts)), end: () => wipe(inner, outer) }
  },
})

const hashWith = (name: string, algorithm: typeof sha256 | typeof sha384 | typeof sha512): Hash => {
  const byNode = nodeHash()
  const { digest, keyed } = byNode ? inNode((...parts) => byNode(name, parts), algorithm.blockLen) : inJavaScript(algorithm)
  const native = (parts: readonly Bytes[]): Subtle | undefined =>
    !byNode && parts.reduce((sum, part) => sum + part.length, 0) >= LONG ? subtle : undefined
  const size = algorithm.outputLen
  const withKey = <T>(key: Bytes, use: (mac: Keyed['mac']) => T): T => {
    const { mac, end } = keyed(key)
    const made = use(mac)
    end()
    return made
  }
  const hmacOf = (key: Bytes, ...parts: readonly Bytes[]): Bytes => withKey(key, (mac) => mac(...parts))
  return {
    length: size,
    digest,
    hmac: hmacOf,
    longDigest: async (...parts) => {
      const by = native(parts)
      return by ? new Uint8Array(await by.digest(name, concat(...parts))) : digest(...parts)
    },
    longHmac: async (key, ...parts) => {
      const by = native(parts)
      if (!by) return hmacOf(key, ...parts)
      const parameters = { name: 'HMAC', hash: name }
      // WebCrypto refuses an empty key; HMAC pads it with zeros anyway.
      const imported = await by.importKey('raw', key.length > 0 ? key : new Uint8Array(size), parameters, false, ['sign'])
      return new Uint8Array(await by.sign(parameters, imported, concat(...parts)))
    },
    // HMAC pads its key with zeros, so an empty salt is the all-zero salt of RFC 5869.
    extract: hmacOf,
    expand: (prk, info, length) => withKey(prk, (mac) => blocksOf(mac, { info, length, size })),
    expandAll: (prk, wanted) => withKey(prk, (mac) => wanted.map((each) => blocksOf(mac, { ...each, size }))),
  }
}

/** HKDF-Expand (RFC 5869 section 2.3). */
const blocksOf = (mac: Keyed['mac'], { info, length, size }: { info: Bytes; length: number; size: number }): Bytes => {
  const first = mac(info, Uint8Array.of(1))
  if (length === size) return first
  if (length < size) return first.slice(0, length)
  const blocks = [first]
  for (let last = first; blocks.length * size < length; blocks.push(last)) last = mac(last, info, Uint8Array.of(blocks.length + 1))
  return concat(...blocks).slice(0, length)
}

export const SHA256: Hash = hashWith('SHA-256', sha256)
export const SHA384: Hash = hashWith('SHA-384', sha384)
export const SHA512: Hash = hashWith('SHA-512', sha512)
