/** Tells the device how far the person has read: what is in view of a window that somebody looks at. */
import { useCallback, useEffect, useRef, type RefObject } from 'react'
import type { ConversationId } from '@tacit/sdk'
import type { VirtualizerHandle } from 'virtua'
import { useMessenger } from '../../messenger/messenger-context.tsx'
import { highestSeq, type Row } from './rows.ts'

interface ReadMarkerOptions {
  readonly conversation: ConversationId
  readonly rows: readonly Row[]
  readonly listRef: RefObject<VirtualizerHandle | null>
}

/** The result marks what is visible now; it also happens by itself on new rows and when the window gets the focus. */
export function useReadMarker({ conversation, rows, listRef }: ReadMarkerOptions): () => void {
  const messenger = useMessenger()
  const marked = useRef(-1)

  const mark = useCallback(() => {
    const handle = listRef.current
    if (handle === null || document.visibilityState !== 'visible' || !document.hasFocus()) return
    const end = handle.findItemIndex(handle.scrollOffset + handle.viewportSize) + 1
    const seq = highestSeq({ rows, end })
    if (seq === undefined || seq <= marked.current) return
    marked.current = seq
    // Refused only when the device is closing; the next look marks it again.
    messenger.markRead({ conversation, seq }).catch(() => {
      marked.current = -1
    })
  }, [messenger, conversation, rows, listRef])

  useEffect(() => {
    // After the scroll that new rows cause has happened.
    const frame = requestAnimationFrame(mark)
    addEventListener('focus', mark)
    document.addEventListener('visibilitychange', mark)
    return () => {
      cancelAnimationFrame(frame)
      removeEventListener('focus', mark)
      document.removeEventListener('visibilitychange', mark)
    }
  }, [mark])
  return mark
}
