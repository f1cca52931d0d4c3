import { expect, test } from 'vitest'
import { languageFor, localeFor } from './language.ts'

test('the screens speak the first of the browser’s languages that we have', () => {
  expect(languageFor({ choice: 'system', preferred: ['fr', 'de-AT', 'en'] })).toBe('de')
  expect(languageFor({ choice: 'system', preferred: ['fr'] })).toBe('en')
})

test('a choice wins over the browser', () => {
  expect(languageFor({ choice: 'en', preferred: ['de'] })).toBe('en')
})

test('dates are written the way of the person’s own region', () => {
  expect(localeFor({ language: 'en', preferred: ['de-AT', 'en-GB', 'en-US'] })).toBe('en-GB')
  expect(localeFor({ language: 'de', preferred: ['en-US'] })).toBe('de')
})
