/**
 * Ed25519 public keys that verify signatures nobody made: the points of small order, in canonical and non-canonical
 * encodings. Platforms disagree on them (finding P10), so members could disagree on validity; we refuse them everywhere.
 */

/** y coordinates (little-endian hex, sign bit cleared) of the points whose order divides 8, with the non-canonical spellings of 0 and 1. */
const SMALL_ORDER_Y = new Set([
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

/** Whether a 32-byte Ed25519 public key has small order or is not 32 bytes long. */
export function isWeakEd25519Key(key: Uint8Array): boolean {
  if (key.length !== 32) return true
  let text = ''
  for (const [at, byte] of key.entries()) text += (at === 31 ? byte & 0x7f : byte).toString(16).padStart(2, '0')
  return SMALL_ORDER_Y.has(text)
}
