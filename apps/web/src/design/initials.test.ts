import { expect, test } from 'vitest'
import { hueOf, initials } from './initials.ts'

test('a person is one letter, a group the letters of its first two words', () => {
  expect(initials({ name: 'bob', count: 1 })).toBe('B')
  expect(initials({ name: 'Sunday hiking club', count: 2 })).toBe('SH')
  expect(initials({ name: 'ana.maria', count: 1 })).toBe('A')
})

test('a name that begins with a wide character is not cut in half', () => {
  expect(initials({ name: '🎻 quartet', count: 2 })).toBe('🎻Q')
})

test('an empty name still shows something', () => {
  expect(initials({ name: ' ', count: 2 })).toBe('?')
})

test('the colour follows from the id alone and stays in range', () => {
  const hues = Array.from({ length: 200 }, (_, at) => hueOf(`account-${at}`))
  expect(hueOf('account-7')).toBe(hues[7])
  expect(new Set(hues).size).toBe(8)
  expect(Math.max(...hues)).toBeLessThan(8)
})
