/** The values that can be watched, each read from the store again when its conversation changed. */
import type { AccountId, ConversationId, DeviceId } from '@tacit/contract'
import type { ConversationDetails, ConversationSummary, HistoryState, LinkingState, Live, SessionState, Timeline, Trouble } from './api.ts'
import { ConnectionView } from './connection-view.ts'
import { newDevices } from './devices/new-devices.ts'
import { LiveQuery, LiveValue } from './live.ts'
import type { StoreDriver } from './local-store/driver.ts'
import { readDetails } from './messages/details.ts'
import { Summaries, type Ephemeral } from './messages/summaries.ts'
import { OpenTimeline } from './messages/open-timeline.ts'
import { countUnsent } from './outbox/outbox.store.ts'
import { Troubles } from './troubles.ts'
import { loadPreferences } from './vault/preferences.ts'

/** What is shown of a device while somebody is signed in. */
export interface Shown {
  readonly store: StoreDriver
  readonly suite: string
  readonly me: { readonly account: AccountId; readonly device: DeviceId }
  readonly ephemeral: Ephemeral
}

export class Views {
  readonly session = new LiveValue<SessionState>({ kind: 'starting' })
  readonly linking = new LiveValue<LinkingState>({ kind: 'idle' })
  readonly connection: ConnectionView
  readonly history = new LiveValue<HistoryState | undefined>(undefined)
  readonly conversations: LiveQuery<readonly ConversationSummary[] | undefined>
  readonly newDevices: LiveQuery<readonly DeviceId[] | undefined>
  readonly preferences: LiveQuery<Readonly<Record<string, string>> | undefined>
  readonly #troubles = new Troubles()
  readonly #shown: () => Shown | undefined
  readonly #summaries = new Summaries()
  readonly #timelines = new Map<ConversationId, OpenTimeline>()
  readonly #details = new Map<ConversationId, LiveQuery<ConversationDetails | undefined>>()

  constructor(shown: () => Shown | undefined) {
    this.#shown = shown
    const unsent = async (): Promise<number> => {
      const now = this.#shown()
      return now ? countUnsent(now.store) : 0
    }
    this.connection = new ConnectionView(new LiveQuery(0, unsent, this.#troubles.of('connection')))
    const joined = async (): Promise<readonly DeviceId[]> => {
      const now = this.#shown()
      return now ? newDevices(now.store, now.me) : []
    }
    this.newDevices = new LiveQuery<readonly DeviceId[] | undefined>(undefined, joined, this.#troubles.of('newDevices'))
    const preferences = async () => {
      const now = this.#shown()
      return now && loadPreferences(now.store)
    }
    this.preferences = new LiveQuery<Readonly<Record<string, string>> | undefined>(undefined, preferences, this.#troubles.of('preferences'))
    const summaries = async () => {
      const now = this.#shown()
      return now && this.#summaries.read(now.store, now.ephemeral)
    }
    this.conversations = new LiveQuery<readonly ConversationSummary[] | undefined>(undefined, summaries, this.#troubles.of('conversations'))
  }

  get trouble(): Live<Trouble | undefined> {
    return this.#troubles.newest
  }

  timeline(conversation: ConversationId): Live<Timeline | undefined> {
    return this.#timeline(conversation)
  }

  details(conversation: ConversationId): Live<ConversationDetails | undefined> {
    const known = this.#details.get(conversation)
    if (known) return known
    const read = async () => {
      const now = this.#shown()
      return now && readDetails(now.store, { conversation, suite: now.suite, ephemeral: now.ephemeral })
    }
    const query = new LiveQuery<ConversationDetails | undefined>(undefined, read, this.#troubles.of(`details ${conversation}`))
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
    this.connection.refresh()
    if (!conversation) this.newDevices.refresh()
    if (!conversation) this.preferences.refresh()
    const timelines = conversation ? [this.#timelines.get(conversation)] : this.#timelines.values()
    for (const timeline of timelines) timeline?.refresh()
    const details = conversation ? [this.#details.get(conversation)] : this.#details.values()
    for (const query of details) query?.refresh()
  }

  #timeline(conversation: ConversationId): OpenTimeline {
    const known = this.#timelines.get(conversation)
    if (known) return known
    const source = () => {
      const now = this.#shown()
      return now && { store: now.store, ...now.ephemeral, typing: now.ephemeral.typing(conversation) }
    }
    const open = new OpenTimeline(conversation, source, this.#troubles.of(`timeline ${conversation}`))
    this.#timelines.set(conversation, open)
    return open
  }
}
