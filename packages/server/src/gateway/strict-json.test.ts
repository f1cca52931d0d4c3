import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseStrictJson, StrictJsonError } from './strict-json.ts'

const parse = (text: string) => parseStrictJson(new TextEncoder().encode(text))

test('what JSON.stringify wrote is read back unchanged', () => {
  const value = fc.jsonValue({ maxDepth: 10 }).filter((json) => !/__proto__|constructor|prototype|-0|\de|\d{16}/.test(JSON.stringify(json)))
  fc.assert(
    fc.property(value, (json) => {
      expect(parse(JSON.stringify(json))).toEqual(JSON.parse(JSON.stringify(json)))
    }),
  )
})

test('any bytes give a value or a StrictJsonError, nothing else', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.string().map((text) => new TextEncoder().encode(text)),
      ),
      (bytes) => {
        try {
          parseStrictJson(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(StrictJsonError)
        }
      },
    ),
  )
})

test.each([
  ['{"a":1,"a":2}'],
  ['{"a":1,"\\u0061":2}'],
  ['{"a":{"b":1,"b":2}}'],
  ['[{"x":1},{"x":1,"x":1}]'],
  ['{"__proto__":1}'],
  ['{"\\u005f_proto__":1}'],
  ['{"a":[1e400]}'],
  ['-0'],
  ['9007199254740992'],
  ['[1,]'],
  ['{"a":1}}'],
  ['\ufeff{}'],
])('%s is refused', (text) => {
  expect(() => parse(text)).toThrow(StrictJsonError)
})

test('a key may repeat in another object, and look-alikes of syntax may be inside strings', () => {
  expect(parse('[{"a":1},{"a":{"a":"{\\"a\\":1,\\"a\\":2}"}}]')).toEqual([{ a: 1 }, { a: { a: '{"a":1,"a":2}' } }])
  expect(parse('{"text":"__proto__","n":-1.5}')).toEqual({ text: '__proto__', n: -1.5 })
})

test('sixteen levels are read, seventeen refused, and a megabyte of brackets is refused quickly', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  expect(() => parse(nested(16))).not.toThrow()
  expect(() => parse(nested(17))).toThrow(StrictJsonError)
  expect(() => parse('['.repeat(1_000_000))).toThrow(StrictJsonError)
})
