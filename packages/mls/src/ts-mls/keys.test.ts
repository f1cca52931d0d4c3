/** Weak keys are refused on every platform alike: small order, second encodings, ML-KEM coefficients out of range. */
import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js'
import { hexToBytes } from '@noble/hashes/utils.js'
import { beforeAll, expect, test } from 'vitest'
import { refusal } from '../conformance/world.ts'
import { expectKemKey, expectSignatureKey } from './keys.ts'
import { loadSuite } from './suite.ts'
import type { Suite } from './suite.ts'

let hybrid: Suite
let classic: Suite
beforeAll(async () => {
  hybrid = await loadSuite({ suite: 'hybrid' })
  classic = await loadSuite({ suite: 'classic' })
})

const signatureRefusal = (key: Uint8Array) => refusal(async () => expectSignatureKey(key))
const kemRefusal = (suite: Suite, key: Uint8Array) => refusal(async () => expectKemKey(suite, key))

/** A little-endian number just above or at 2^255 - 19. */
const beyondPrime = (offset: number): Uint8Array =>
  new Uint8Array(32)
    .fill(0xff)
    .with(0, 0xed + offset)
    .with(31, 0x7f)

test('B-109: all eight points of small order are refused as Ed25519 keys, with either sign bit', async () => {
  expect(ED25519_TORSION_SUBGROUP).toHaveLength(8)
  for (const point of ED25519_TORSION_SUBGROUP.map((point) => hexToBytes(point))) {
    expect(await signatureRefusal(point)).toBe('invalid')
    expect(await signatureRefusal(point.with(31, (point[31] ?? 0) ^ 0x80))).toBe('invalid')
  }
})

test('B-109: an Ed25519 key in a second encoding or of another length is refused, an honest one is not', async () => {
  for (const offset of [0, 1, 5, 18]) expect(await signatureRefusal(beyondPrime(offset))).toBe('invalid')
  const honest = ed25519.getPublicKey(new Uint8Array(32).fill(9))
  for (const length of [0, 31, 33]) expect(await signatureRefusal(new Uint8Array(length).fill(9))).toBe('invalid')
  expect(() => expectSignatureKey(honest)).not.toThrow()
})

test('B-109: low-order X25519 keys are refused in both suites', async () => {
  const low = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ].map((point) => hexToBytes(point))
  const honest = await freshKey(hybrid)
  for (const point of low) {
    expect(await kemRefusal(classic, point)).toBe('invalid')
    expect(await kemRefusal(hybrid, new Uint8Array([...honest.subarray(0, 1184), ...point]))).toBe('invalid')
  }
})

test('an ML-KEM key with a coefficient of 3329 or more is refused, honest keys of both suites are not', async () => {
  const honest = await freshKey(hybrid)
  expect(() => expectKemKey(hybrid, honest)).not.toThrow()
  const classicKey = await freshKey(classic)
  expect(() => expectKemKey(classic, classicKey)).not.toThrow()
  expect(await kemRefusal(hybrid, honest.with(0, 0x01).with(1, 0x0d | ((honest[1] ?? 0) & 0xf0)))).toBe('invalid')
  expect(await kemRefusal(hybrid, honest.with(1151, 0xff).with(1150, 0xff))).toBe('invalid')
  expect(await kemRefusal(hybrid, classicKey)).toBe('invalid')
})

test('public keys are recomputed from private ones in both suites', async () => {
  for (const suite of [hybrid, classic]) {
    const { publicKey, privateKey } = await suite.cs.hpke.generateKeyPair()
    const again = await suite.kemPublicKey(await suite.cs.hpke.exportPrivateKey(privateKey))
    expect(again).toEqual(await suite.cs.hpke.exportPublicKey(publicKey))
  }
})

const freshKey = async (suite: Suite): Promise<Uint8Array> =>
  suite.cs.hpke.exportPublicKey((await suite.cs.hpke.generateKeyPair()).publicKey)
