import { describe, expect, test } from 'vitest'
import { edit, emptyDraft, split } from './draft.ts'
import type { Draft, Edit } from './draft.ts'

/** A draft written with | for the cursor. */
const at = (marked: string): Draft => ({ text: marked.replace('|', ''), cursor: marked.indexOf('|') })
const shown = ({ text, cursor }: Draft): string => `${text.slice(0, cursor)}|${text.slice(cursor)}`
const after = (marked: string, ...edits: readonly Edit[]): string => shown(edits.reduce(edit, at(marked)))

test('typing goes in at the cursor', () => {
  expect(shown(edit(emptyDraft, { kind: 'insert', text: 'Hi' }))).toBe('Hi|')
  expect(after('He|o', { kind: 'insert', text: 'll' })).toBe('Hell|o')
})

test('one key takes back one character as people see it', () => {
  expect(after('ok 👩‍👩‍👧|', { kind: 'delete', what: 'before' })).toBe('ok |')
  expect(after('cafe\u0301|', { kind: 'delete', what: 'before' })).toBe('caf|')
  expect(after('|👍🏽x', { kind: 'delete', what: 'after' })).toBe('|x')
})

test('the cursor steps over whole characters', () => {
  expect(after('a👍🏽|', { kind: 'move', to: 'left' })).toBe('a|👍🏽')
  expect(after('a|👍🏽', { kind: 'move', to: 'right' })).toBe('a👍🏽|')
  expect(after('|', { kind: 'move', to: 'left' }, { kind: 'move', to: 'right' })).toBe('|')
})

describe('in a text of several lines', () => {
  test('start and end are those of the line', () => {
    expect(after('one\ntw|o\nthree', { kind: 'move', to: 'start' })).toBe('one\n|two\nthree')
    expect(after('one\n|two\nthree', { kind: 'move', to: 'end' })).toBe('one\ntwo|\nthree')
  })

  test('deleting to the start or the end stays in the line', () => {
    expect(after('one\ntw|o\nthree', { kind: 'delete', what: 'line' })).toBe('one\n|o\nthree')
    expect(after('one\nt|wo\nthree', { kind: 'delete', what: 'rest' })).toBe('one\nt|\nthree')
  })
})

test('a word goes with the spaces behind it', () => {
  expect(after('see you soon  |', { kind: 'delete', what: 'word' })).toBe('see you |')
})

test('the screen gets the character under the cursor apart', () => {
  expect(split(at('a|👍🏽b'))).toEqual(['a', '👍🏽', 'b'])
  expect(split(at('ab|'))).toEqual(['ab', '', ''])
})
