/** Escape inside of an element, or while nothing has the focus; what is on top of it (a dialog, a menu) goes first. */
import { useEffect, type RefObject } from 'react'

interface EscapeOptions {
  readonly within: RefObject<HTMLElement | null>
  readonly on: boolean
  readonly escape: () => void
}

export function useEscape({ within, on, escape }: EscapeOptions): void {
  useEffect(() => {
    if (!on) return undefined
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing) return
      const at = document.activeElement
      if (at === document.body || within.current?.contains(at) === true) escape()
    }
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }, [within, on, escape])
}
