/**
 * Refuses public keys that some platform might treat differently from another: a key on which members disagree forks the
 * group. Covers Ed25519 and X25519 keys of small order or in a second encoding, and ML-KEM-768 keys outside FIPS 203.
 */
import { bytesToHex } from '@noble/hashes/utils.js'
import { MlsError } from '../errors.ts'
import type { Bytes } from '../port.ts'
import type { Suite } from './suite.ts'

/** Little-endian integers below the prime of Curve25519, as lower-case hex. */
const ED25519_SMALL_ORDER_Y: ReadonlySet<string> = new Set([
  `00${'00'.repeat(31)}`,
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
])
const X25519_SMALL_ORDER_U: ReadonlySet<string> = new Set([
  `00${'00'.repeat(31)}`,
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
])

const ML_KEM_768_KEY_LENGTH = 1184
const ML_KEM_768_SEED_LENGTH = 32
const ML_KEM_PRIME = 3329

/** Throws `invalid` unless `key` is an Ed25519 public key in its one encoding and not of small order. */
export const expectSignatureKey = (key: Bytes): void => {
  if (key.length !== 32) throw new MlsError('invalid', 'signature key length')
  const y = withoutTopBit(key)
  if (!belowPrime(y) || ED25519_SMALL_ORDER_Y.has(bytesToHex(y))) throw new MlsError('invalid', 'signature key is weak or not canonical')
}

/** Throws `invalid` unless `key` can be an HPKE public key of the suite. */
export const expectKemKey = (suite: Suite, key: Bytes): void => {
  if (key.length !== suite.kemKeyLength) throw new MlsError('invalid', 'encryption key length')
  if (suite.kem === 'hybrid') expectMlKemKey(key.subarray(0, ML_KEM_768_KEY_LENGTH))
  const u = withoutTopBit(key.subarray(key.length - 32))
  if (!belowPrime(u) || X25519_SMALL_ORDER_U.has(bytesToHex(u))) throw new MlsError('invalid', 'encryption key is weak or not canonical')
}

/** FIPS 203 section 7.2, modulus check: all 12-bit coefficients lie below q. */
const expectMlKemKey = (key: Bytes): void => {
  for (let at = 0; at < ML_KEM_768_KEY_LENGTH - ML_KEM_768_SEED_LENGTH; at += 3) {
    const [low = 0, middle = 0, high = 0] = key.subarray(at, at + 3)
    if ((low | ((middle & 0x0f) << 8)) >= ML_KEM_PRIME || ((middle >> 4) | (high << 4)) >= ML_KEM_PRIME) {
      throw new MlsError('invalid', 'encryption key fails the modulus check')
    }
  }
}

const withoutTopBit = (key: Bytes): Bytes => {
  const copy = new Uint8Array(key)
  copy[31] = (copy[31] ?? 0) & 0x7f
  return copy
}

/** Whether a little-endian number of 255 bits lies below 2^255 - 19. */
const belowPrime = (value: Bytes): boolean =>
  (value[0] ?? 0) < 0xed || value[31] !== 0x7f || value.subarray(1, 31).some((byte) => byte !== 0xff)
