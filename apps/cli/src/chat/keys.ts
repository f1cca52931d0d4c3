/** What each key means in the chat. */
import type { Key } from 'ink'
import type { Edit } from './draft.ts'

export type Wish =
  | { readonly kind: 'edit'; readonly edit: Edit }
  | { readonly kind: 'send' | 'switch' | 'back' | 'quit' | 'quit_if_empty' | 'earlier' | 'later' | 'up' | 'down' | 'retry' }

const controls: Readonly<Record<string, Wish>> = {
  a: { kind: 'edit', edit: { kind: 'move', to: 'start' } },
  c: { kind: 'quit' },
  d: { kind: 'quit_if_empty' },
  e: { kind: 'edit', edit: { kind: 'move', to: 'end' } },
  j: { kind: 'edit', edit: { kind: 'insert', text: '\n' } },
  k: { kind: 'edit', edit: { kind: 'delete', what: 'rest' } },
  r: { kind: 'retry' },
  u: { kind: 'edit', edit: { kind: 'delete', what: 'line' } },
  w: { kind: 'edit', edit: { kind: 'delete', what: 'word' } },
}

const named: readonly (readonly [keyof Key, Wish])[] = [
  ['return', { kind: 'send' }],
  ['tab', { kind: 'switch' }],
  ['escape', { kind: 'back' }],
  ['pageUp', { kind: 'earlier' }],
  ['pageDown', { kind: 'later' }],
  ['upArrow', { kind: 'up' }],
  ['downArrow', { kind: 'down' }],
  ['leftArrow', { kind: 'edit', edit: { kind: 'move', to: 'left' } }],
  ['rightArrow', { kind: 'edit', edit: { kind: 'move', to: 'right' } }],
  ['home', { kind: 'edit', edit: { kind: 'move', to: 'start' } }],
  ['end', { kind: 'edit', edit: { kind: 'move', to: 'end' } }],
  ['backspace', { kind: 'edit', edit: { kind: 'delete', what: 'before' } }],
  ['delete', { kind: 'edit', edit: { kind: 'delete', what: 'after' } }],
]

/** What the person wants by a key. Keys that are pressed quickly arrive as one text, with Enter as a carriage return. */
export function wishesOf(input: string, key: Key): readonly Wish[] {
  if (key.return && key.meta) return [newLine]
  const name = named.find(([flag]) => key[flag])
  if (name) return [name[1]]
  if (key.ctrl) return [controls[input]].filter((wish) => wish !== undefined)
  if (key.meta) return []
  return input.split('\r').flatMap((text, at): Wish[] => [...(at > 0 ? [send] : []), ...(text === '' ? [] : [typed(text)])])
}

/** Text as it may stand in a draft: whatever line breaks the terminal sent, and no other control characters. */
export function typed(input: string): Wish {
  const text = input
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll('\t', '  ')
    .replaceAll(/(?!\n)\p{Cc}/gu, '')
  return { kind: 'edit', edit: { kind: 'insert', text } }
}

const newLine: Wish = { kind: 'edit', edit: { kind: 'insert', text: '\n' } }

const send: Wish = { kind: 'send' }
