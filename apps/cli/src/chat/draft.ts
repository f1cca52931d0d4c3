/** The text that is being written, and what each key does to it. Positions count characters as people see them. */

export interface Draft {
  readonly text: string
  /** Index into `text`, always between two characters. */
  readonly cursor: number
}

export type Edit =
  | { readonly kind: 'insert'; readonly text: string }
  | { readonly kind: 'move'; readonly to: 'left' | 'right' | 'start' | 'end' }
  | { readonly kind: 'delete'; readonly what: 'before' | 'after' | 'word' | 'line' | 'rest' }

export const emptyDraft: Draft = { text: '', cursor: 0 }

const characters = new Intl.Segmenter('en', { granularity: 'grapheme' })

export function edit(draft: Draft, change: Edit): Draft {
  const before = draft.text.slice(0, draft.cursor)
  const after = draft.text.slice(draft.cursor)
  switch (change.kind) {
    case 'insert':
      return { text: before + change.text + after, cursor: before.length + change.text.length }
    case 'move':
      return { text: draft.text, cursor: target(before, after)[change.to] }
    case 'delete':
      return remains({ before, after })[change.what]()
  }
}

/** The draft in three parts for the screen: the middle one is under the cursor. */
export function split({ text, cursor }: Draft): readonly [before: string, under: string, after: string] {
  const under = firstOf(text.slice(cursor))
  return [text.slice(0, cursor), under, text.slice(cursor + under.length)]
}

function target(before: string, after: string): Record<Extract<Edit, { kind: 'move' }>['to'], number> {
  return {
    left: before.length - lastOf(before).length,
    right: before.length + firstOf(after).length,
    start: before.lastIndexOf('\n') + 1,
    end: before.length + (after.indexOf('\n') === -1 ? after.length : after.indexOf('\n')),
  }
}

function remains({ before, after }: { before: string; after: string }): Record<Extract<Edit, { kind: 'delete' }>['what'], () => Draft> {
  const keep = (head: string, tail: string): Draft => ({ text: head + tail, cursor: head.length })
  return {
    before: () => keep(before.slice(0, before.length - lastOf(before).length), after),
    after: () => keep(before, after.slice(firstOf(after).length)),
    word: () => keep(before.replace(/\S*\s*$/, ''), after),
    line: () => keep(before.slice(0, before.lastIndexOf('\n') + 1), after),
    rest: () => keep(before, after.includes('\n') ? after.slice(after.indexOf('\n')) : ''),
  }
}

function firstOf(text: string): string {
  for (const { segment } of characters.segment(text)) return segment
  return ''
}

function lastOf(text: string): string {
  let last = ''
  for (const { segment } of characters.segment(text)) last = segment
  return last
}
