import { expect, test } from 'vitest'
import { checksum } from './checksum.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

test('the checksum is the CRC-32 that everybody else computes, also piece by piece', () => {
  expect(checksum(bytes('123456789'))).toBe(0xcbf43926)
  expect(checksum(bytes('6789'), checksum(bytes('12345')))).toBe(0xcbf43926)
  expect(checksum(new Uint8Array())).toBe(0)
})

test('each single bit that changes is noticed', () => {
  const whole = bytes('keys of an epoch')
  const sum = checksum(whole)
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const damaged = whole.with(bit >> 3, (whole[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
    expect(checksum(damaged)).not.toBe(sum)
  }
})
