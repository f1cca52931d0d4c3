/**
 * Keys that make a signature or an agreement worthless. Platforms differ in whether they refuse them, and members that
 * disagree about validity fork the group, so they are refused here, before any platform sees them.
 */
import type { Bytes } from '../port.ts'
import { fromHex, hex } from './bytes.ts'

const FIELD = 2n ** 255n - 19n

const littleEndian = (bytes: Bytes): bigint => BigInt(`0x${hex(bytes.toReversed())}`)

/** The value of a 255-bit coordinate; the top bit is a sign (Ed25519) or ignored (X25519). */
const coordinate = (key: Bytes): bigint => littleEndian(key) & (2n ** 255n - 1n)

// The y of the two pairs of points of order eight on edwards25519, and the u of order eight on curve25519.
const Y8 = littleEndian(fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'))
const U8 = [
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
]

const SMALL_Y = new Set([0n, 1n, FIELD - 1n, Y8, FIELD - Y8])
const SMALL_U = new Set([0n, 1n, FIELD - 1n, ...U8.map((u) => littleEndian(fromHex(u)))])

/** True for 32 bytes that encode an Ed25519 point canonically (RFC 8032 section 5.1.3) and of large order. */
export const isSoundEd25519Key = (key: Bytes): boolean => {
  const y = coordinate(key)
  return y < FIELD && !SMALL_Y.has(y)
}

/** True for 32 bytes that are no low-order X25519 coordinate (RFC 7748 section 6.1) and encoded canonically. */
export const isSoundX25519Key = (key: Bytes): boolean => {
  const u = littleEndian(key)
  return u < FIELD && !SMALL_U.has(u)
}
