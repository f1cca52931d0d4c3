import { describe, expect, test } from 'vitest'
import { findConversation, shortId } from './reference.ts'

const conversations = [
  { conversation: 'AAAAbbbbCCCCddddEEEEfA', title: 'bob', peer: { handle: 'Bob' } },
  { conversation: 'AAAAccccCCCCddddEEEEfA', title: 'Book club' },
  { conversation: '-xyzccccCCCCddddEEEEfA', title: 'Café' },
]

const named = (reference: string) => findConversation(reference, conversations).title

describe('a conversation can be named', () => {
  test('by its id', () => expect(named('AAAAccccCCCCddddEEEEfA')).toBe('Book club'))
  test('by the beginning of its id', () => expect(named('AAAAc')).toBe('Book club'))
  test('by its title, whatever the case and the spelling of accents', () => expect(named('cafE\u0301')).toBe('Café'))
  test('by the handle of the other person', () => expect(named('@BOB')).toBe('bob'))
})

test('a name that fits several conversations is refused and lists them', () => {
  expect(() => named('AAAA')).toThrow(expect.objectContaining({ failure: 'ambiguous', next: expect.stringContaining('Book club') }))
})

test('a group cannot take over the name of a direct conversation', () => {
  const mallory = { conversation: 'MMMMccccCCCCddddEEEEfA', title: '@Bob' }
  expect(findConversation('@bob', [mallory, ...conversations]).title).toBe('bob')
  const disguised = { conversation: 'MMMMccccCCCCddddEEEEfA', title: 'bob' }
  expect(() => findConversation('bob', [disguised, ...conversations])).toThrow(expect.objectContaining({ failure: 'ambiguous' }))
})

test('a title cannot take over an id', () => {
  const mallory = { conversation: 'MMMMccccCCCCddddEEEEfA', title: 'AAAAccccCCCCddddEEEEfA' }
  expect(findConversation('AAAAccccCCCCddddEEEEfA', [mallory, ...conversations]).title).toBe('Book club')
})

test('an unknown name is a failure that says what to do', () => {
  expect(() => named('@carol')).toThrow(expect.objectContaining({ failure: 'not_found', next: '`tacit direct carol` starts one.' }))
  expect(() => named('AAA')).toThrow(expect.objectContaining({ failure: 'not_found' }))
})

test('a short id is long enough to be the only one', () => {
  const ids = ['AAAAbbbbX', 'AAAAbbccX', 'ZZZZZZZZZ']
  expect(ids.map((id) => shortId(id, ids))).toEqual(['AAAAbbb', 'AAAAbbc', 'ZZZZZZ'])
})
