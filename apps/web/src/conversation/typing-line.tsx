/** Who is writing right now. It always takes its place, so that nothing moves when somebody begins. */
import type { Person } from '@tacit/sdk'
import { useTypingText } from '../conversation-list/use-typing-text.ts'
import css from './typing-line.module.css'

export function TypingLine({ people, named }: { readonly people: readonly Person[]; readonly named: boolean }) {
  const text = useTypingText({ people, named })
  return (
    <p className={css['line']} aria-live="off">
      {text !== undefined && (
        <>
          <span className={css['dots']} aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {text}
        </>
      )}
    </p>
  )
}
