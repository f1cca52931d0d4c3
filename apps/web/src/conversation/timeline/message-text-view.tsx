/** The words of a message, with links that open elsewhere and tell nothing about where they were clicked. */
import { useMemo } from 'react'
import { classes } from '../../design/classes.ts'
import { textParts } from './message-text.ts'
import css from './message-text-view.module.css'

export function MessageText({ text, large }: { readonly text: string; readonly large: boolean }) {
  const parts = useMemo(() => textParts(text), [text])
  return (
    <span dir="auto" className={classes(css['text'], large && css['large'])}>
      {parts.map((part, at) =>
        part.kind === 'link' ? (
          <a key={at} href={part.url} target="_blank" rel="noopener noreferrer" className={css['link']}>
            {part.text}
          </a>
        ) : (
          part.text
        ),
      )}
    </span>
  )
}
