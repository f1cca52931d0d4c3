import { LinkCode } from '@tacit/contract'
import { expect, test } from 'vitest'
import { platformRandom as random } from '../surroundings.ts'
import { readableCode, readCode, scannableCode } from './code.ts'

const code = LinkCode.parse('7KQ2M4XD')

test('a code may be typed in any case, with spaces or dashes, and with the letters that look like digits', () => {
  for (const typed of ['7KQ2-M4XD', ' 7kq2 m4xd ', '7kq2m4xd']) expect(readCode(typed)).toEqual({ kind: 'typed', code })
  expect(readCode('IOLA-BCDE')).toEqual({ kind: 'typed', code: '101ABCDE' })
  expect(readCode(readableCode(code))).toEqual({ kind: 'typed', code })
})

test('what is no code is told as such', () => {
  for (const text of [
    '',
    '7KQ2',
    '7KQ2-M4XDE',
    '7KQ2-M4XU',
    'https://example.org/7KQ2M4XD',
    'tacit-link:1:7KQ2M4XD',
    'tacit-safety:1:AAAA',
  ])
    expect(readCode(text)).toEqual({ kind: 'not_a_code' })
})

test('what is scanned says the server and what the device is bound to, and is no address that anything would open', () => {
  const shown = { code, server: 'http://localhost:8420', commitment: random.bytes(32) }
  const text = scannableCode(shown)
  expect(readCode(text)).toEqual({ kind: 'scanned', ...shown })
  expect(text).toMatch(/^tacit-link:/)
})
