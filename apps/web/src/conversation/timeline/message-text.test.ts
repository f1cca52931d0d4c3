import { expect, test } from 'vitest'
import { isOnlyEmoji, textParts } from './message-text.ts'

const joined = (text: string) =>
  textParts(text)
    .map((part) => part.text)
    .join('')

test('an address in a sentence becomes a link, without the full stop after it', () => {
  expect(textParts('see https://example.org/a?b=1. Then call')).toEqual([
    { kind: 'text', text: 'see ' },
    { kind: 'link', text: 'https://example.org/a?b=1', url: 'https://example.org/a?b=1' },
    { kind: 'text', text: '. Then call' },
  ])
})

test('an address without a scheme leads to the encrypted site', () => {
  expect(textParts('example.org')).toEqual([{ kind: 'link', text: 'example.org', url: 'https://example.org' }])
})

test('what could run something is text', () => {
  for (const hostile of [
    'javascript:alert(1)',
    'data:text/html,<b>',
    'vbscript:x',
    'file:///etc/passwd',
    '<a href="x">',
    '//example.org',
  ]) {
    expect(
      textParts(hostile).some((part) => part.kind === 'link' && !part.url.startsWith('https:')),
      hostile,
    ).toBe(false)
  }
})

test('nothing of a text is lost', () => {
  for (const text of ['', ' ', 'a\nb', 'mail ana@example.org or https://a.example b.example!', '🎻 https://x.example/🎻'])
    expect(joined(text)).toBe(text)
})

test('up to three emoji are large, words and longer rows are not', () => {
  expect(isOnlyEmoji('👍')).toBe(true)
  expect(isOnlyEmoji('👩‍👩‍👧 ')).toBe(true)
  expect(isOnlyEmoji('🎻🎻🎻🎻')).toBe(false)
  expect(isOnlyEmoji('ok 👍')).toBe(false)
  expect(isOnlyEmoji('12')).toBe(false)
})
