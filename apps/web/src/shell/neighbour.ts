/** Which conversation comes next when walking through the list by keyboard. */
import type { ConversationId, ConversationSummary } from '@tacit/sdk'

interface NeighbourOptions {
  readonly conversations: readonly Pick<ConversationSummary, 'conversation' | 'unread'>[]
  readonly current: string | undefined
  readonly step: 1 | -1
  readonly unreadOnly: boolean
}

/** Undefined at the end of the list. With nothing open, walking down starts at the top and walking up at the bottom. */
export function neighbour({ conversations, current, step, unreadOnly }: NeighbourOptions): ConversationId | undefined {
  const here = conversations.findIndex(({ conversation }) => conversation === current)
  const start = here >= 0 ? here + step : step === 1 ? 0 : conversations.length - 1
  for (let at = start; at >= 0 && at < conversations.length; at += step) {
    const found = conversations[at]
    if (found !== undefined && (!unreadOnly || found.unread > 0)) return found.conversation
  }
  return undefined
}
