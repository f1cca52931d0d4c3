/** Which conversation the Tab key stops at: the one that was opened last. Coming back from it, the focus comes back, too. */
import { useEffect, useState, type RefObject } from 'react'

interface TabStopOptions {
  readonly listRef: RefObject<HTMLElement | null>
  readonly opened: string | undefined
}

export function useTabStop({ listRef, opened }: TabStopOptions): string | undefined {
  const [stop, setStop] = useState(opened)
  if (opened !== undefined && opened !== stop) setStop(opened)
  useEffect(() => {
    // On a narrow window what had the focus is gone with the conversation.
    const lost = document.activeElement === null || document.activeElement === document.body
    if (opened === undefined && stop !== undefined && lost) listRef.current?.querySelector<HTMLElement>('a[tabindex="0"]')?.focus()
  }, [listRef, opened, stop])
  return stop
}
