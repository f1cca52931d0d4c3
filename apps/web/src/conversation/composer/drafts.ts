/**
 * What was typed and not sent, for each conversation. It lives as long as the page and no longer: a draft written to disk
 * would be the one plaintext outside of the encrypted database.
 */
import { useSyncExternalStore } from 'react'
import type { ConversationId } from '@tacit/sdk'

const drafts = new Map<ConversationId, string>()
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

/** Puts words that could not be sent before what was typed meanwhile. */
export function giveBack({ conversation, text }: { readonly conversation: ConversationId; readonly text: string }): void {
  const typed = drafts.get(conversation)
  setDraft({
    conversation,
    text:
      typed === undefined
        ? text
        : `${text}
${typed}`,
  })
}

/** After signing out. */
export function forgetDrafts(): void {
  drafts.clear()
  for (const listener of listeners) listener()
}
