/** The values that can be watched, each read from the store again when its conversation changed. */
import type { ConversationId } from '@tacit/contract'
import type { ConnectionState, ConversationDetails, ConversationSummary, Live, SessionState, Timeline } from './api.ts'
import { LiveQuery, LiveValue } from './live.ts'
import type { StoreDriver } from './local-store/driver.ts'
import { readDetails } from './messages/details.ts'
import { Summaries, type Ephemeral } from './messages/summaries.ts'
import { OpenTimeline } from './messages/open-timeline.ts'

/** What is shown of a device while somebody is signed in. */
export interface Shown {
  readonly store: StoreDriver
  readonly suite: string
  readonly ephemeral: Ephemeral
}

export class Views {
  readonly session = new LiveValue<SessionState>({ kind: 'starting' })
  readonly connection = new LiveValue<ConnectionState>({ kind: 'offline' })
  readonly conversations: LiveQuery<readonly ConversationSummary[] | undefined>
  readonly #shown: () => Shown | undefined
  readonly #summaries = new Summaries()
  readonly #timelines = new Map<ConversationId, OpenTimeline>()
  readonly #details = new Map<ConversationId, LiveQuery<ConversationDetails | undefined>>()

  constructor(shown: () => Shown | undefined) {
    this.#shown = shown
    this.conversations = new LiveQuery<readonly ConversationSummary[] | undefined>(undefined, async () => {
      const now = this.#shown()
      return now && this.#summaries.read(now.store, now.ephemeral)
    })
  }

  timeline(conversation: ConversationId): Live<Timeline | undefined> {
    return this.#timeline(conversation)
  }

  details(conversation: ConversationId): Live<ConversationDetails | undefined> {
    const known = this.#details.get(conversation)
    if (known) return known
    const query = new LiveQuery<ConversationDetails | undefined>(undefined, async () => {
      const now = this.#shown()
      return now && readDetails(now.store, { conversation, suite: now.suite, ephemeral: now.ephemeral })
    })
    this.#details.set(conversation, query)
    return query
  }

  loadEarlier({ conversation, count }: { readonly conversation: ConversationId; readonly count: number }): Promise<void> {
    return this.#timeline(conversation).loadEarlier(count)
  }

  /** A conversation, or everything, looks different now. */
  changed(conversation?: ConversationId): void {
    this.#summaries.changed(conversation)
    this.conversations.refresh()
    const timelines = conversation ? [this.#timelines.get(conversation)] : this.#timelines.values()
    for (const timeline of timelines) timeline?.refresh()
    const details = conversation ? [this.#details.get(conversation)] : this.#details.values()
    for (const query of details) query?.refresh()
  }

  #timeline(conversation: ConversationId): OpenTimeline {
    const known = this.#timelines.get(conversation)
    if (known) return known
    const open = new OpenTimeline(conversation, () => {
      const now = this.#shown()
      return now && { store: now.store, ...now.ephemeral, typing: now.ephemeral.typing(conversation) }
    })
    this.#timelines.set(conversation, open)
    return open
  }
}
