/** One tab stop for a whole list; the arrow keys, Home and End walk along its links. */
import { useEffect, type RefObject } from 'react'

const targets: Record<string, (at: number, count: number) => number> = {
  ArrowDown: (at, count) => Math.min(at + 1, count - 1),
  ArrowUp: (at) => Math.max(at - 1, 0),
  Home: () => 0,
  End: (_at, count) => count - 1,
}

export function useRovingFocus(listRef: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const list = listRef.current
    if (list === null) return undefined
    const pressed = (event: KeyboardEvent) => {
      const target = targets[event.key]
      if (target === undefined || event.altKey || event.ctrlKey || event.metaKey) return
      const links = [...list.querySelectorAll<HTMLElement>('a')]
      const at = links.findIndex((link) => link === document.activeElement)
      if (at < 0) return
      event.preventDefault()
      links[target(at, links.length)]?.focus()
    }
    list.addEventListener('keydown', pressed)
    return () => list.removeEventListener('keydown', pressed)
  }, [listRef])
}
