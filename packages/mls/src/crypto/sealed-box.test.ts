import { expect, test } from 'vitest'
import type { MlsError } from '../errors.ts'
import { text } from './bytes.ts'
import { boxPairFrom, newBoxPair, openBox, sealBox } from './sealed-box.ts'

const info = text('a test')
const plaintext = text('the vault key, say')
/** KEM output and tag. */
const OVERHEAD = 1136
const failure = async (work: Promise<unknown>) => work.then(() => 'none').catch((error: unknown) => (error as MlsError).reason)

test('a box opens with its pair and info, and each sealing looks different', async () => {
  const pair = await newBoxPair()
  const seal = () => sealBox({ publicKey: pair.publicKey, info, plaintext })
  const [one, other] = [await seal(), await seal()]
  expect(await openBox({ pair, info, sealed: one })).toEqual(plaintext)
  expect(await openBox({ pair, info, sealed: other })).toEqual(plaintext)
  expect(one).not.toEqual(other)
  expect([pair.publicKey.length, one.length]).toEqual([1216, plaintext.length + OVERHEAD])
})

test('a box does not open with another pair, under another info, or with a byte changed', async () => {
  const pair = await newBoxPair()
  const sealed = await sealBox({ publicKey: pair.publicKey, info, plaintext })
  expect(await failure(openBox({ pair: await newBoxPair(), info, sealed }))).toBe('auth_failed')
  expect(await failure(openBox({ pair, info: text('another'), sealed }))).toBe('auth_failed')
  expect(await failure(openBox({ pair, info, sealed: sealed.slice(0, 1119) }))).toBe('malformed')
  for (const at of [0, 600, 1100, 1119, 1120, sealed.length - 1]) {
    const changed = Uint8Array.from(sealed, (byte, place) => (place === at ? byte ^ 1 : byte))
    expect(await failure(openBox({ pair, info, sealed: changed }))).toBe('auth_failed')
  }
})

test('one secret gives one pair', async () => {
  const secret = new Uint8Array(32).fill(7)
  const [one, again, other] = await Promise.all([boxPairFrom(secret), boxPairFrom(secret), boxPairFrom(new Uint8Array(32).fill(8))])
  expect(again).toEqual(one)
  expect(other.publicKey).not.toEqual(one.publicKey)
})

test('nothing is sealed for a key that no honest generator makes', async () => {
  const { publicKey } = await newBoxPair()
  const bad = [publicKey.slice().fill(0xff, 0, 3), publicKey.slice().fill(0, 1184), publicKey.slice(1)]
  for (const key of bad) expect(await failure(sealBox({ publicKey: key, info, plaintext }))).toBe('invalid')
})
