/**
 * Hash, HMAC and HKDF (RFC 5869). Synchronous: Node has one-shot hashes, elsewhere they are in JavaScript, for over the forty
 * bytes that MLS derives from one call into WebCrypto costs ten times the hashing. Over a key package or a whole commit it is
 * the other way round, hence the `long` ones.
 */
import { sha256, sha384 } from '@noble/hashes/sha2.js'
import type { Bytes } from '../port.ts'
import { concat, wipe } from './bytes.ts'
import { pad } from './hmac.ts'
import type { Keyed, Primitive } from './hmac.ts'
import { nodeHash } from '#node'
import { subtle } from './webcrypto.ts'
import type { Subtle } from './webcrypto.ts'

/** What to expand: an info string, and how many bytes. */
export interface Wanted {
  readonly info: Bytes
  readonly length: number
}

export interface Hash {
  /** Output length in bytes, `KDF.Nh` of RFC 9420. */
  readonly length: number
  digest(...parts: readonly Bytes[]): Bytes
  hmac(key: Bytes, message: Bytes): Bytes
  /** As `digest` and `hmac`, faster for inputs of a kilobyte and more. */
  longDigest(...parts: readonly Bytes[]): Promise<Bytes>
  longHmac(key: Bytes, ...parts: readonly Bytes[]): Promise<Bytes>
  /** HKDF-Extract. */
  extract(salt: Bytes, ...ikm: readonly Bytes[]): Bytes
  /** HKDF-Expand to `length` bytes. */
  expand(prk: Bytes, info: Bytes, length: number): Bytes
  /** HKDF-Expand several times under one key, which is absorbed once. */
  expandAll(prk: Bytes, wanted: readonly Wanted[]): Bytes[]
}

/** A hash of noble's under way; `digest` wipes it, and `_cloneInto` lets it be used again. */
interface Hashing {
  update(part: Bytes): Hashing
  digest(): Bytes
  destroy(): void
  _cloneInto(to?: Hashing): Hashing
}

/** From here on a call into WebCrypto pays. */
const LONG = 1024

/**
 * Noble's hashes, and HMAC (RFC 2104) over them. A key schedule hashes few blocks and often: with noble's own HMAC, making
 * its objects takes longer than hashing. Three are made once and written over, which is sound as long as nothing is awaited.
 */
const inJavaScript = (fresh: Hashing, block: number): Primitive => {
  const [inner, outer, work] = [fresh._cloneInto(), fresh._cloneInto(), fresh._cloneInto()]
  const padded = new Uint8Array(block)
  const finish = (begun: Hashing, parts: readonly Bytes[]): Bytes => {
    begun._cloneInto(work)
    for (const part of parts) work.update(part)
    return work.digest()
  }
  const digest = (...parts: readonly Bytes[]): Bytes => finish(fresh, parts)
  const absorb = (into: Hashing, key: Bytes, byte: number): void => {
    pad(padded, key, byte)
    fresh._cloneInto(into).update(padded)
    wipe(padded)
  }
  return {
    digest,
    keyed: (given) => {
      const key = given.length > block ? digest(given) : given
      absorb(inner, key, 0x36)
      absorb(outer, key, 0x5c)
      return {
        mac: (...parts) => finish(outer, [finish(inner, parts)]),
        end: () => {
          inner.destroy()
          outer.destroy()
        },
      }
    },
  }
}

/** A hash by its name in WebCrypto, and noble's. */
export const hashWith = (name: string, algorithm: { readonly blockLen: number; readonly outputLen: number; create(): Hashing }): Hash => {
  const byNode = nodeHash()?.(name, algorithm.blockLen)
  const { digest, keyed } = byNode ?? inJavaScript(algorithm.create(), algorithm.blockLen)
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
    expand: (prk, info, length) => withKey(prk, (mac) => blocksOf(mac, { info, length })),
    expandAll: (prk, wanted) => withKey(prk, (mac) => wanted.map((each) => blocksOf(mac, each))),
  }
}

const FIRST = Uint8Array.of(1)

/** HKDF-Expand (RFC 5869 section 2.3). */
const blocksOf = (mac: Keyed['mac'], { info, length }: Wanted): Bytes => {
  const first = mac(info, FIRST)
  const size = first.length
  if (length === size) return first
  if (length < size) return first.slice(0, length)
  const blocks = [first]
  for (let last = first; blocks.length * size < length; blocks.push(last)) last = mac(last, info, Uint8Array.of(blocks.length + 1))
  return concat(...blocks).slice(0, length)
}

export const SHA256: Hash = hashWith('SHA-256', sha256)
export const SHA384: Hash = hashWith('SHA-384', sha384)
