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

/** Fills a block of the hash with a key as HMAC puts it before what it hashes. */
export const pad = (block: Bytes, key: Bytes, byte: number): void => {
  block.fill(byte)
  for (let at = 0; at < key.length; at++) block[at] = (key[at] ?? 0) ^ byte
}
