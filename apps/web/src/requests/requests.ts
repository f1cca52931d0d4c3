/** Requests, beside the conversations that their person has taken up. */
import type { ConversationSummary } from '@tacit/sdk'

export interface Split {
  readonly inbox: readonly ConversationSummary[]
  readonly requests: readonly ConversationSummary[]
}

export const splitRequests = (list: readonly ConversationSummary[]): Split => ({
  inbox: list.filter(({ request }) => request === undefined),
  requests: list.filter(({ request }) => request !== undefined),
})

/** Unread messages in the inbox: what strangers write does not count. */
export const countUnread = (list: readonly ConversationSummary[] | undefined): number =>
  list?.reduce((sum, { unread, request }) => (request === undefined ? sum + unread : sum), 0) ?? 0
