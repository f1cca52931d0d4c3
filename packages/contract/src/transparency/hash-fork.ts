/** SHA-256 of a tag and two hashes: what both trees are made of, by the ten thousand. */
import { sha256 } from '@noble/hashes/sha2.js'

/** Filled and hashed without anything in between, so one is enough. */
const input = new Uint8Array(65)

/** `tag` keeps forks of one tree from passing for leaves, or for forks of the other. Both hashes have 32 bytes. */
export function hashFork(tag: number, left: Uint8Array, right: Uint8Array): Uint8Array {
  input[0] = tag
  input.set(left, 1)
  input.set(right, 33)
  return sha256(input)
}
