/**
 * Sends what was typed. The box is free for the next words at once, so that nobody who types on while the first ones are
 * being stored loses any; words that could not be stored come back to it.
 */
import { useCallback, useRef, useState } from 'react'
import type { ConversationId } from '@tacit/sdk'
import { failureOf, type Failure } from '../../messenger/failure.ts'
import { useMessenger } from '../../messenger/messenger-context.tsx'
import { giveBack, setDraft } from './drafts.ts'

export interface Sending {
  readonly failure: Failure | undefined
  readonly send: (text: string) => void
  /** Forgets a failure, because the person types again. */
  readonly reset: () => void
}

export function useSending(conversation: ConversationId): Sending {
  const messenger = useMessenger()
  const [failure, setFailure] = useState<Failure>()
  // One after another: what was written first is stored first.
  const before = useRef(Promise.resolve())

  const send = useCallback(
    (text: string) => {
      setDraft({ conversation, text: '' })
      setFailure(undefined)
      before.current = before.current
        .then(() => messenger.send({ conversation, text }))
        .then(
          () => undefined,
          (error: unknown) => {
            giveBack({ conversation, text })
            setFailure(failureOf(error))
          },
        )
    },
    [messenger, conversation],
  )
  const reset = useCallback(() => setFailure(undefined), [])
  return { failure, send, reset }
}
