/** Where the person writes. */
import type { ReactElement } from 'react'
import { split } from './draft.ts'
import type { Draft } from './draft.ts'
import { box, phrase, words } from './words.ts'

export function Composer({ draft, active }: { readonly draft: Draft; readonly active: boolean }): ReactElement {
  const [before, under, after] = split(draft)
  const cursor = under === '' || under === '\n' ? ` ${under}` : under
  const empty = draft.text === ''
  return box(
    { borderStyle: 'round', borderColor: active ? 'cyan' : 'gray', paddingX: 1, flexShrink: 0 },
    phrase(
      { wrap: 'wrap' },
      words(before),
      words(active ? cursor : under, { inverse: active }),
      words(empty ? 'Write a message' : after, { dimColor: empty }),
    ),
  )
}
