/** The keyboard, wherever the focus is: Ctrl+K finds, Alt+arrows walk through the list, Ctrl+. opens the details. */
import { useEffect } from 'react'
import { useLocation, useRoute } from 'wouter'
import type { ConversationSummary } from '@tacit/sdk'
import { paths, patterns } from '../routes.ts'
import { neighbour } from './neighbour.ts'

interface ShortcutsOptions {
  readonly conversations: readonly ConversationSummary[] | undefined
  readonly openSwitcher: () => void
}

export function useShortcuts({ conversations, openSwitcher }: ShortcutsOptions): void {
  const [, navigate] = useLocation()
  const [, opened] = useRoute(patterns.anyConversation)
  const [isAbout] = useRoute(patterns.about)
  const current = opened?.id
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return
      const control = event.ctrlKey || event.metaKey
      if (control && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        openSwitcher()
      } else if (event.altKey && !control && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
        const step = event.key === 'ArrowUp' ? -1 : 1
        const next = neighbour({ conversations: conversations ?? [], current, step, unreadOnly: event.shiftKey })
        if (next === undefined) return
        event.preventDefault()
        navigate(paths.conversation(next))
      } else if (control && event.key === '.') {
        const shown = conversations?.find(({ conversation }) => conversation === current)?.conversation
        if (shown === undefined) return
        event.preventDefault()
        navigate(isAbout ? paths.conversation(shown) : paths.about(shown))
      }
    }
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }, [conversations, current, isAbout, navigate, openSwitcher])
}
