/** The values that can be watched, each read from the store again when its conversation changed. */
import type { AccountId, ConversationId } from '@tacit/contract'
import type { ConnectionState, ConversationDetails, ConversationSummary, Live, SessionState, Timeline } from './api.ts'
import { LiveQuery, LiveValue } from './live.ts'
import type { StoreDriver } from './local-store/driver.ts'
import { readDetails } from './messages/details.ts'
import { readSummaries, type Ephemeral } from './messages/summaries.ts'
import { readPosition, readTimeline } from './messages/timeline.ts'

/** What is shown of a device while somebody is signed in. */
export interface Shown {
  readonly store: StoreDriver
  readonly suite: string
  readonly ephemeral: Ephemeral
}

/** Items of a timeline before anybody asked for earlier ones. */
const FIRST_PAGE = 60

interface OpenTimeline {
  readonly query: LiveQuery<Timeline | undefined>
  count: number
}

export class Views {
  readonly session = new LiveValue<SessionState>({ kind: 'starting' })
  readonly connection = new LiveValue<ConnectionState>({ kind: 'offline' })
  readonly conversations: LiveQuery<readonly ConversationSummary[] | undefined>
  readonly #shown: () => Shown | undefined
  readonly #timelines = new Map<ConversationId, OpenTimeline>()
  readonly #details = new Map<ConversationId, LiveQuery<ConversationDetails | undefined>>()

  constructor(shown: () => Shown | undefined) {
    this.#shown = shown
    this.conversations = new LiveQuery<readonly ConversationSummary[] | undefined>(undefined, async () => {
      const now = this.#shown()
      return now && readSummaries(now.store, now.ephemeral)
    })
  }

  timeline(conversation: ConversationId): Live<Timeline | undefined> {
    return this.#timeline(conversation).query
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

  loadEarlier({ conversation, count }: { readonly conversation: ConversationId; readonly count: number }): void {
    const open = this.#timeline(conversation)
    open.count += Math.max(0, count)
    open.query.refresh()
  }

  /** A conversation, or everything, looks different now. */
  changed(conversation?: ConversationId): void {
    this.conversations.refresh()
    const timelines = conversation ? [this.#timelines.get(conversation)] : this.#timelines.values()
    for (const timeline of timelines) timeline?.query.refresh()
    const details = conversation ? [this.#details.get(conversation)] : this.#details.values()
    for (const query of details) query?.refresh()
  }

  #timeline(conversation: ConversationId): OpenTimeline {
    const known = this.#timelines.get(conversation)
    if (known) return known
    let readBefore: number | undefined
    const open: OpenTimeline = {
      count: FIRST_PAGE,
      query: new LiveQuery<Timeline | undefined>(undefined, async () => {
        const now = this.#shown()
        if (!now) return undefined
        readBefore ??= await readPosition(now.store, conversation)
        const { me } = now.ephemeral
        return readTimeline(now.store, { conversation, me, count: open.count, readBefore, typing: typingIn(now, conversation) })
      }),
    }
    this.#timelines.set(conversation, open)
    return open
  }
}

const typingIn = (shown: Shown, conversation: ConversationId): readonly AccountId[] => shown.ephemeral.typing(conversation)
