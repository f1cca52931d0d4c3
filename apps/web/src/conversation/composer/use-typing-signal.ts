/** Says "typing" while somebody types and "no longer" when they pause, send or leave; each only once. */
import { useCallback, useEffect, useMemo, useRef } from 'react'
import type { ConversationId } from '@tacit/sdk'
import { useMessenger } from '../../messenger/messenger-context.tsx'

const PAUSE_MS = 4000

export interface TypingSignal {
  readonly typed: (text: string) => void
  readonly stop: () => void
}

export function useTypingSignal(conversation: ConversationId): TypingSignal {
  const messenger = useMessenger()
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const on = useRef(false)

  const tell = useCallback(
    (typing: boolean) => {
      if (on.current === typing) return
      on.current = typing
      // Nobody waits for it: a lost signal is forgotten by itself.
      messenger.setTyping({ conversation, typing }).catch(() => undefined)
    },
    [messenger, conversation],
  )
  const stop = useCallback(() => {
    clearTimeout(timer.current)
    tell(false)
  }, [tell])
  useEffect(() => stop, [stop])

  return useMemo(
    () => ({
      stop,
      typed(text) {
        clearTimeout(timer.current)
        if (text.trim() === '') return tell(false)
        tell(true)
        timer.current = setTimeout(stop, PAUSE_MS)
      },
    }),
    [stop, tell],
  )
}
