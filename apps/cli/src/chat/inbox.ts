/** The conversations of the chat: those that the person has taken up, and the one they asked for. */
import type { ConversationSummary, Live } from '@tacit/sdk'

type Summaries = readonly ConversationSummary[]

/** The same object for the same list. */
export function inboxOf(
  all: Live<Summaries | undefined>,
  asked: ConversationSummary['conversation'] | undefined,
): Live<Summaries | undefined> {
  let from: Summaries | undefined
  let shown: Summaries | undefined
  return {
    subscribe: (listener) => all.subscribe(listener),
    get() {
      const now = all.get()
      if (now !== from) shown = now?.filter(({ conversation, request }) => request === undefined || conversation === asked)
      from = now
      return shown
    },
  }
}
