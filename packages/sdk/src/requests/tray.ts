/** What of the requests is shown: a stranger, or somebody with many accounts, does not fill the screen. */
import type { ConversationSummary } from '../api.ts'

/** More than these wait unseen until some are answered. */
const MOST = 50

/** Of a list without declined ones: everything that is no request, and of each asker at most one direct conversation and the oldest invitation. */
export function withCalmRequests(list: readonly ConversationSummary[]): readonly ConversationSummary[] {
  const shown = new Set<ConversationSummary>()
  const askers = new Set<string>()
  for (const summary of list.toReversed()) {
    if (!summary.request) continue
    const asker = `${summary.kind} ${summary.request.by?.account ?? summary.conversation}`
    if (shown.size === MOST || askers.has(asker)) continue
    askers.add(asker)
    shown.add(summary)
  }
  return list.filter((summary) => !summary.request || shown.has(summary))
}
