import { expect, test } from 'vitest'
import { passwordStrength } from './password-strength.ts'

test('below eight characters a password is short, whatever is in it', () => {
  expect(passwordStrength('')).toBe('short')
  expect(passwordStrength('aB3!xyz')).toBe('short')
})

test('characters are counted, not UTF-16 units', () => {
  expect(passwordStrength('🎻🎺🥁🎷')).toBe('short')
})

test('a long password of the same few characters is no more than fair', () => {
  expect(passwordStrength('abababababababababababab')).toBe('fair')
})

test('a sentence is stronger than a short mix of signs', () => {
  expect(passwordStrength('Tr0ub4d&r')).toBe('good')
  expect(passwordStrength('nine quiet lanterns by the river')).toBe('strong')
  expect(passwordStrength('sunshine')).toBe('fair')
})
