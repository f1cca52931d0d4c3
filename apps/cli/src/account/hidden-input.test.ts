import { expect, test } from 'vitest'
import { typeHidden } from './hidden-input.ts'

test('a password is what was typed before Enter', () => {
  expect(typeHidden('', 'correct horse')).toEqual({ kind: 'typing', text: 'correct horse' })
  expect(typeHidden('correct horse', ' battery\rnext')).toEqual({ kind: 'entered', text: 'correct horse battery' })
})

test('a typing mistake can be taken back, whole characters at a time', () => {
  expect(typeHidden('añ👍', '\u007F')).toEqual({ kind: 'typing', text: 'añ' })
  expect(typeHidden('wrong', '\u0015right\r')).toEqual({ kind: 'entered', text: 'right' })
})

test('arrow keys do not become part of the password', () => {
  expect(typeHidden('ab', '\u001B[D\u001BOC\u001B[3~c\r')).toEqual({ kind: 'entered', text: 'abc' })
})

test('Ctrl-C cancels, and so does Ctrl-D when nothing was typed', () => {
  expect(typeHidden('secret', '\u0003')).toEqual({ kind: 'cancelled' })
  expect(typeHidden('', '\u0004')).toEqual({ kind: 'cancelled' })
  expect(typeHidden('secret', '\u0004')).toEqual({ kind: 'typing', text: 'secret' })
})
