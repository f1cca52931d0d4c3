/**
 * What was typed and not sent, for each conversation. The page has it while somebody types; the messenger keeps it (encrypted, and on
 * all own devices) a moment later. What comes from another device is taken where this page has not gone on from what it knew.
 */
import { useEffect, useSyncExternalStore } from 'react'
import type { ConversationId, Messenger } from '@tacit/sdk'
import { useMessenger } from '../../messenger/messenger-context.tsx'

/** Typed on for so long, in milliseconds, and it is saved. */
const PAUSE = 600

const drafts = new Map<ConversationId, string>()
/** What the messenger has, as far as this page knows. */
const kept = new Map<ConversationId, string>()
const listeners = new Set<() => void>()

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The draft of a conversation; empty when there is none. */
export const draftOf = (conversation: ConversationId): string => drafts.get(conversation) ?? ''

/** The same for a component, which is drawn again when it changes. */
export const useDraft = (conversation: ConversationId): string => useSyncExternalStore(subscribe, () => draftOf(conversation))

export function setDraft({ conversation, text }: { readonly conversation: ConversationId; readonly text: string }): void {
  if (text === '') drafts.delete(conversation)
  else drafts.set(conversation, text)
  for (const listener of listeners) listener()
}

/** The messenger has this draft: taken, unless this page has other words by now. */
export function adoptDraft({ conversation, text }: { readonly conversation: ConversationId; readonly text: string }): void {
  const before = kept.get(conversation) ?? ''
  kept.set(conversation, text)
  if (text !== before && draftOf(conversation) === before) setDraft({ conversation, text })
}

/** Puts words that could not be sent before what was typed meanwhile. */
export function giveBack({ conversation, text }: { readonly conversation: ConversationId; readonly text: string }): void {
  const typed = drafts.get(conversation)
  setDraft({ conversation, text: typed === undefined ? text : `${text}\n${typed}` })
}

/** After signing out. */
export function forgetDrafts(): void {
  drafts.clear()
  kept.clear()
  for (const listener of listeners) listener()
}

/** Saves what is typed in a conversation, a moment after the last key, and at once when the page or the conversation is left. */
export function useKeptDraft(conversation: ConversationId, fromElsewhere: string | undefined): void {
  const messenger = useMessenger()
  const draft = useDraft(conversation)
  useEffect(() => adoptDraft({ conversation, text: fromElsewhere ?? '' }), [conversation, fromElsewhere])
  useEffect(() => {
    const timer = setTimeout(() => save(messenger, conversation), draft === '' ? 0 : PAUSE)
    return () => clearTimeout(timer)
  }, [messenger, conversation, draft])
  useEffect(() => {
    const leave = () => save(messenger, conversation)
    addEventListener('pagehide', leave)
    document.addEventListener('visibilitychange', leave)
    return () => {
      removeEventListener('pagehide', leave)
      document.removeEventListener('visibilitychange', leave)
      leave()
    }
  }, [messenger, conversation])
}

function save(messenger: Messenger, conversation: ConversationId): void {
  const text = draftOf(conversation)
  if (text === (kept.get(conversation) ?? '')) return
  kept.set(conversation, text)
  // What cannot be saved stays in the page, and is saved with the next key.
  messenger.saveDraft({ conversation, text }).catch(() => kept.delete(conversation))
}
