/**
 * Keys that make a signature or an agreement worthless. Platforms differ in whether they refuse them, and members that
 * disagree about validity fork the group, so they are refused here, before any platform sees them.
 */
import type { Bytes } from '../port.ts'
import { fromHex } from './bytes.ts'

const MINUS_ONE = `ec${'ff'.repeat(30)}7f`
const zeros = (count: number): string => '00'.repeat(count)

/** The y of the points of small order on edwards25519, sign bit off: 0, 1, -1 and the two of order eight. */
const SMALL_Y = [
  zeros(32),
  `01${zeros(31)}`,
  MINUS_ONE,
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
].map(fromHex)

/** The u of small order on curve25519 and its twist: 0, 1, -1 and the two of order eight. */
const SMALL_U = [
  zeros(32),
  `01${zeros(31)}`,
  MINUS_ONE,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
].map(fromHex)

/** True for 32 bytes that encode an Ed25519 point canonically (RFC 8032 section 5.1.3) and of large order. */
export const isSoundEd25519Key = (key: Bytes): boolean => {
  const top = (key[31] ?? 0) & 0x7f
  return isCanonical(key, top) && !isOneOf(SMALL_Y, key, top)
}

/** True for 32 bytes that are no low-order X25519 coordinate (RFC 7748 section 6.1) and encoded canonically. */
export const isSoundX25519Key = (key: Bytes): boolean => isCanonical(key, key[31] ?? 0) && !isOneOf(SMALL_U, key, key[31] ?? 0)

/** Whether a number is among some. `top` is its last byte, as below. */
const isOneOf = (numbers: readonly Bytes[], key: Bytes, top: number): boolean =>
  numbers.some((number) => number.every((byte, at) => byte === (at === 31 ? top : key[at])))

/** Whether a little-endian number is below 2^255 - 19. `top` is its last byte, with or without a sign bit. */
const isCanonical = (key: Bytes, top: number): boolean =>
  top < 0x7f || (top === 0x7f && ((key[0] ?? 0) < 0xed || key.subarray(1, 31).some((byte) => byte !== 0xff)))
