/** What is new between two states of the conversation list, from the point of view of somebody who cannot see it. */
import type { ConversationSummary } from '@tacit/sdk'

export interface News {
  readonly title: string
  readonly text: string
}

/** One entry for each conversation in which somebody else wrote last, and did not before. Strangers are no news before they are taken up, nor by it. */
export function newsBetween(before: readonly ConversationSummary[], after: readonly ConversationSummary[]): News[] {
  const known = new Map(before.map((summary) => [summary.conversation, summary]))
  return after.flatMap((summary) => {
    const { last } = summary
    if (summary.request !== undefined) return []
    if (last === undefined || last.mine || last.sender === undefined) return []
    const earlier = known.get(summary.conversation)?.last
    if (earlier !== undefined && earlier.time >= last.time) return []
    const text = summary.kind === 'group' ? `${last.sender.nickname ?? last.sender.handle}: ${last.preview}` : last.preview
    return [{ title: summary.title, text }]
  })
}
