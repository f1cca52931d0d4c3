/** Damage to byte strings as fast-check values: a failing case shrinks to few and small mutations. */
import fc from 'fast-check'
import type { Bytes } from './port.ts'

/** One kind of damage. `at` is a place in 2^32ths of the length, so that it fits any input. */
export type Mutation =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'set'; readonly at: number; readonly bytes: Bytes }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Bytes }
  | { readonly kind: 'delete'; readonly at: number; readonly length: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number }
  | { readonly kind: 'cut'; readonly at: number }

/** Bytes that mean something to the codec: presence octets, kinds, and length prefixes of every width and none. */
const TELLING = [
  [0],
  [1],
  [2],
  [3],
  [4],
  [0xff],
  [0x3f],
  [0x40, 0],
  [0x40, 0x3f],
  [0x40, 0x40],
  [0x7f, 0xff],
  [0x80, 0, 0, 0],
  [0x80, 0, 0x40, 0],
  [0xbf, 0xff, 0xff, 0xff],
  [0xc0],
  [0xff, 0xff, 0xff, 0xff],
].map((bytes) => new Uint8Array(bytes))

const place = fc.nat({ max: 0xffff_ffff })
const short = fc.oneof(
  fc.constantFrom(...TELLING),
  fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => new Uint8Array(bytes)),
)
const length = fc.integer({ min: 1, max: 64 })

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: place, bit: fc.nat({ max: 7 }) }),
  fc.record({ kind: fc.constant('set' as const), at: place, bytes: short }),
  fc.record({ kind: fc.constant('insert' as const), at: place, bytes: short }),
  fc.record({ kind: fc.constant('delete' as const), at: place, length }),
  fc.record({ kind: fc.constant('repeat' as const), at: place, length }),
  fc.record({ kind: fc.constant('cut' as const), at: place }),
)

/** A few mutations, most often one. */
export const mutations = fc.array(mutation, { minLength: 1, maxLength: 4, size: 'small' })

const apply = (bytes: Bytes, change: Mutation): Bytes => {
  const at = Math.floor((change.at / 2 ** 32) * (bytes.length + 1))
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (change.kind) {
    case 'flip':
      return at < bytes.length ? bytes.with(at, (bytes[at] ?? 0) ^ (1 << change.bit)) : bytes
    case 'set':
      return Uint8Array.of(...head, ...change.bytes, ...tail.subarray(change.bytes.length))
    case 'insert':
      return Uint8Array.of(...head, ...change.bytes, ...tail)
    case 'delete':
      return Uint8Array.of(...head, ...tail.subarray(change.length))
    case 'repeat':
      return Uint8Array.of(...head, ...tail.subarray(0, change.length), ...tail)
    case 'cut':
      return head.slice()
  }
}

/** The bytes with all mutations applied, one after the other. */
export const mutated = (bytes: Bytes, changes: readonly Mutation[]): Bytes => changes.reduce(apply, bytes)
