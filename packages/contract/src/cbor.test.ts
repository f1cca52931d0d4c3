import { decode, encode } from 'cborg'
import { array, assert, bigInt, boolean, constant, letrec, maxSafeInteger, oneof, property, string, uint8Array } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CborError, decodeCbor, decodeCborInPlace, encodeCbor, type CborValue } from './cbor.ts'

const { value: anyValue } = letrec<{ value: CborValue }>((tie) => ({
  value: oneof(
    { maxDepth: 5, depthSize: 'small' },
    maxSafeInteger(),
    constant(0),
    string({ unit: 'grapheme', maxLength: 80 }),
    boolean(),
    constant(null),
    uint8Array({ maxLength: 300 }),
    array(tie('value'), { maxLength: 5 }),
  ),
}))

/** What another implementation makes of bytes: what is canonical it writes again as it stands. */
function secondOpinion(bytes: Uint8Array): unknown {
  try {
    const value: unknown = decode(bytes, { strict: true, allowIndefinite: false, allowUndefined: false, allowBigInt: false })
    return isOurs(value) && Buffer.from(encode(value)).equals(bytes) ? value : undefined
  } catch {
    return undefined
  }
}

const isOurs = (value: unknown): boolean =>
  value === null ||
  typeof value === 'string' ||
  typeof value === 'boolean' ||
  value instanceof Uint8Array ||
  Number.isSafeInteger(value) ||
  (Array.isArray(value) && value.every(isOurs))

function firstOpinion(bytes: Uint8Array): unknown {
  try {
    return decodeCbor(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(CborError)
    return undefined
  }
}

describe('canonical CBOR', () => {
  test('every value is written as another implementation writes it, and read as it was', () => {
    assert(
      property(anyValue, (value) => {
        const bytes = encodeCbor(value)
        expect(Buffer.from(encode(value)).equals(bytes)).toBe(true)
        expect(decodeCbor(bytes)).toEqual(value)
        expect(decodeCborInPlace(bytes)).toEqual(value)
      }),
      { numRuns: 1000 },
    )
  })

  test('arbitrary bytes are taken exactly when another implementation would write them so', () => {
    assert(
      property(uint8Array({ minLength: 1, maxLength: 12 }), (bytes) => {
        expect(firstOpinion(bytes)).toEqual(secondOpinion(bytes))
      }),
      { numRuns: 20_000 },
    )
  })

  test('a changed byte of something canonical is taken exactly when another implementation would write it so', () => {
    assert(
      property(anyValue, bigInt({ min: 0n, max: 2n ** 40n }), (value, chance) => {
        const bytes = encodeCbor(value)
        bytes[Number(chance % BigInt(bytes.length))] = Number((chance >> 32n) & 255n)
        expect(firstOpinion(bytes)).toEqual(secondOpinion(bytes))
      }),
      { numRuns: 5000 },
    )
  })

  test('the edges of each width come back, and nothing beyond the safe integers', () => {
    for (const edge of [0, 23, 24, 0xff, 0x100, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, Number.MAX_SAFE_INTEGER]) {
      for (const value of [edge, -edge - 1].filter(Number.isSafeInteger)) expect(decodeCbor(encodeCbor(value))).toBe(value)
    }
    expect(() => encodeCbor(2 ** 53)).toThrow(TypeError)
    expect(() => encodeCbor(0.5)).toThrow(TypeError)
    expect(() => decodeCbor(Uint8Array.of(0x1b, 0, 0x20, 0, 0, 0, 0, 0, 0))).toThrow(CborError)
  })

  test('sixteen levels may be nested, seventeen may not', () => {
    const nested = (levels: number): Uint8Array => new Uint8Array(levels).fill(0x81).with(levels - 1, 0x80)
    expect(decodeCbor(nested(16))).toBeInstanceOf(Array)
    expect(() => decodeCbor(nested(17))).toThrow(CborError)
  })

  test('a length that cannot be true is refused before anything is allocated for it', () => {
    for (const head of [0x5a, 0x7a, 0x9a]) expect(() => decodeCbor(Uint8Array.of(head, 0xff, 0xff, 0xff, 0xff))).toThrow(CborError)
  })

  test('what is read does not change with the bytes it was read from, unless it was read in place', () => {
    const bytes = encodeCbor([Uint8Array.of(1, 2, 3)])
    const [copied, inPlace] = [decodeCbor(bytes), decodeCborInPlace(bytes)]
    bytes.fill(9)
    expect(copied).toEqual([Uint8Array.of(1, 2, 3)])
    expect(inPlace).toEqual([Uint8Array.of(9, 9, 9)])
  })

  test('a value larger than the bytes that are kept for writing is written whole', () => {
    const value = [new Uint8Array(100_000).fill(7), 'é'.repeat(50_000), 1]
    expect(decodeCbor(encodeCbor(value))).toEqual(value)
  })
})
