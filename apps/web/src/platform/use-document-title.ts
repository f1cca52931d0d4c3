/** What the tab and the app's icon say. */
import { useEffect } from 'react'

/** @param unread shown in front of the title and, where the system can, on the icon. */
export function useDocumentTitle({ title, unread = 0 }: { readonly title?: string | undefined; readonly unread?: number }): void {
  useEffect(() => {
    const name = title === undefined ? 'Tacit' : `${title} · Tacit`
    document.title = unread > 0 ? `(${unread > 99 ? '99+' : unread}) ${name}` : name
  }, [title, unread])
  useEffect(() => {
    if (!('setAppBadge' in navigator)) return
    // Refused where the app is not installed; the title says it too.
    navigator.setAppBadge(unread).catch(() => undefined)
  }, [unread])
}
