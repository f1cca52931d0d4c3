import { expect, test } from 'vitest'
import type { Key } from 'ink'
import { typed, wishesOf } from './keys.ts'

const none: Key = {
  upArrow: false,
  downArrow: false,
  leftArrow: false,
  rightArrow: false,
  pageDown: false,
  pageUp: false,
  home: false,
  end: false,
  return: false,
  escape: false,
  ctrl: false,
  shift: false,
  tab: false,
  backspace: false,
  delete: false,
  meta: false,
  super: false,
  hyper: false,
  capsLock: false,
  numLock: false,
}

const insert = (text: string) => ({ kind: 'edit', edit: { kind: 'insert', text } })

test('text and Enter that arrive together are text and Enter', () => {
  expect(wishesOf('yes\rno', none)).toEqual([insert('yes'), { kind: 'send' }, insert('no')])
  expect(wishesOf('\r', none)).toEqual([{ kind: 'send' }])
})

test('Alt-Enter and Ctrl-J begin a new line', () => {
  expect(wishesOf('', { ...none, return: true, meta: true })).toEqual([insert('\n')])
  expect(wishesOf('j', { ...none, ctrl: true })).toEqual([insert('\n')])
  expect(wishesOf('\n', none)).toEqual([insert('\n')])
})

test('pasted lines are lines, and control characters in them are dropped', () => {
  expect(typed('one\r\ntwo\rthree\u001B[2J\u0007')).toEqual(insert('one\ntwo\nthree[2J'))
})

test('keys without a meaning do nothing', () => {
  expect(wishesOf('x', { ...none, meta: true })).toEqual([])
  expect(wishesOf('q', { ...none, ctrl: true })).toEqual([])
})
