import { describe, expect, test } from 'vitest'
import { printable, printableJson, printableLines } from './printable.ts'

const hostile = {
  'a cursor move': '\u001B[2A\u001B[2Kadmin: all is well',
  'a window title': '\u001B]0;owned\u0007',
  'a clipboard write': '\u001B]52;c;cm0gLXJmIC8=\u001B\\',
  'a hyperlink that shows another address': '\u001B]8;;https://evil.example\u001B\\https://bank.example\u001B]8;;\u001B\\',
  'an eight-bit escape': '\u009B2J\u009D0;owned\u009C',
  'a question that the terminal answers into the shell': '\u001B[6n\u001BP$q"p\u001B\\',
  'a carriage return': 'harmless\rforged',
  'a backspace': 'abc\b\b\bxyz',
  'a shift to another character set': '\u000E\u000F\u001B(0',
  'a delete': 'x\u007F',
  'a bidi override': 'invoice_\u202Egpj.exe',
  'a bidi isolate': '\u2066abc\u2069\u2067def\u2069\u2068ghi\u2069',
  'a line separator': 'one\u2028two\u2029three\u0085four',
  'a lone surrogate': 'a\uD800b\uDC00c',
  'a null': 'a\u0000b',
}

/** What a terminal must never get from outside: written by code, so that it does not share the filter's table. */
function dangerous(text: string): boolean {
  return Array.from(text).some((character) => {
    const code = character.codePointAt(0) ?? 0
    const control = code < 0x20 || (code >= 0x7f && code <= 0x9f)
    const direction = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code === 0x200e || code === 0x200f
    return control || direction || code === 0x2028 || code === 0x2029 || (code >= 0xd800 && code <= 0xdfff)
  })
}

describe.each(Object.entries(hostile))('%s', (_name, text) => {
  test('does not reach the terminal in a line', () => {
    expect(dangerous(text)).toBe(true)
    expect(dangerous(printable(text))).toBe(false)
  })

  test('does not reach the terminal in a text of several lines', () => {
    expect(printableLines(text).filter(dangerous)).toEqual([])
  })

  test('reaches a program unchanged, by JSON that a terminal may show', () => {
    const json = printableJson({ text })
    expect(dangerous(json)).toBe(false)
    expect(JSON.parse(json)).toEqual({ text })
  })
})

test('no character of the basic plane that controls a terminal passes', () => {
  const everything = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code))
  expect(everything.filter((character) => dangerous(printable(character)))).toEqual([])
})

test('what was hidden is shown', () => {
  expect(printable('\u001B[31mred')).toBe('␛[31mred')
  expect(printable('a\u202Eb')).toBe('a<U+202E>b')
})

test('ordinary writing of many scripts stays as it is', () => {
  for (const text of ['Grüße, Žofie', 'שלום עולם', 'می‌خواهم', '你好', '👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿', 'e\u0301']) expect(printable(text)).toBe(text)
})

test('a tower of combining marks is cut to what a line can hold', () => {
  expect(printable(`a${'\u0301'.repeat(200)}b`)).toBe(`a${'\u0301'.repeat(4)}b`)
})
