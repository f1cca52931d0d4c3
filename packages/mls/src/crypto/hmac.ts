/** What HMAC (RFC 2104) over any hash needs. */
import type { Bytes } from '../port.ts'

/** HMAC under one key; `end` forgets the key. */
export interface Keyed {
  mac(...parts: readonly Bytes[]): Bytes
  end(): void
}

/** A hash that is there at once, and HMAC over it. */
export interface Primitive {
  digest(...parts: readonly Bytes[]): Bytes
  /** For use without anything awaited in between. */
  keyed(key: Bytes): Keyed
}

/** A key as HMAC puts it before what it hashes; `block` is the hash's block size in bytes. */
export const padded = (key: Bytes, pad: { readonly block: number; readonly with: number }): Bytes => {
  const bytes = new Uint8Array(pad.block).fill(pad.with)
  for (let at = 0; at < key.length; at++) bytes[at] = (key[at] ?? 0) ^ pad.with
  return bytes
}
