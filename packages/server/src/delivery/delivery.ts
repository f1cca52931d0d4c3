/**
 * The delivery room's front door: the log of each conversation, who may read it, and the feeds that stream it. The log is
 * the truth; a feed and the bus only carry it.
 */
import { limits, Refusal, type AccountId, type BodyOf, type ConversationId, type DeviceId, type ResultOf } from '@tacit/contract'
import type { Database } from '../storage/database.ts'
import { Gathered } from '../storage/gathered.ts'
import { acceptMessage, type AcceptDeps, type AcceptProposal } from './accept-message.ts'
import { acceptNack } from './accept-nack.ts'
import { readableEnd, type CursorAt, type DeliveryStore, type Pair, type Place } from './delivery.store.ts'
import type { Feed, Line } from './feed.ts'
import { Feeds, type FeedSources } from './feeds.ts'
import * as ledger from './ledger.store.ts'
import { Recent } from './recent.ts'

/** What other rooms write in one transaction with theirs, and what they read. */
export * as ledger from './ledger.store.ts'

export interface DeliveryDeps extends FeedSources, AcceptDeps {
  readonly database: Database
  readonly store: DeliveryStore
  /** The conversations room, which follows the groups. */
  readonly acceptProposal: AcceptProposal
  /** Hears why feeds could not be served, or a cursor not be stored. Both are tried again. */
  onFault(error: unknown): void
  /** Milliseconds that pass, whatever the clock says. */
  elapsed(): number
}

export interface Acknowledgement {
  /** What the device is reading from, if it has resumed. */
  readonly feed: Feed | undefined
  readonly device: DeviceId
  readonly body: BodyOf<'delivery.acknowledge'>
}

/** Whether each cursor of an acknowledgement was acceptable; `overrun`: the device claims to have what never existed for it. */
export type AcknowledgeOutcome = 'stored' | 'overrun'

export class Delivery {
  readonly #deps: DeliveryDeps
  readonly #cursors: Gathered<CursorAt>
  readonly #feeds: Feeds
  readonly #recent = new Recent()
  readonly #accepting: DeliveryDeps & { readonly recent: Recent }

  constructor(deps: DeliveryDeps) {
    this.#deps = deps
    this.#accepting = { ...deps, recent: this.#recent }
    // Backward ones change nothing.
    this.#cursors = new Gathered({
      key: ({ conversation, device }) => conversation + device,
      supersedes: (cursor, waiting) => cursor.seq > waiting.seq,
      write: (take) => deps.store.storeCursors(take),
    })
    this.#feeds = new Feeds({
      bus: deps.bus,
      store: deps.store,
      recent: this.#recent,
      mail: deps.mail,
      kept: (device, after) => deps.kept(device, after),
      places: (device) => ledger.placesOf(deps.database.kysely, device),
      onNews: (cursor) => this.#storeResumed(cursor),
      onFault: (error) => deps.onFault(error),
      elapsed: () => deps.elapsed(),
    })
  }

  /** Appends a message or proposal; resolves when it is on stable storage. */
  send(sender: DeviceId, body: BodyOf<'delivery.send'>): Promise<ResultOf<'delivery.send'>> {
    try {
      return acceptMessage(this.#accepting, { sender, body })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Appends a device's word that it could not process a commit. */
  nack(sender: DeviceId, body: BodyOf<'delivery.nack'>): Promise<ResultOf<'delivery.nack'>> {
    return acceptNack(this.#deps, { sender, body })
  }

  /** Starts streaming to a line. Cursors of conversations that are not the device's are left out, as if they did not exist. */
  resume(line: Line, { cursors }: BodyOf<'delivery.resume'>): Feed {
    return this.#feeds.open(line, new Map(cursors.map(({ conversation, seq }) => [conversation, seq])))
  }

  /** Stores what the device has; resolves when that is on stable storage. */
  async acknowledge({ feed, device, body }: Acknowledgement): Promise<AcknowledgeOutcome> {
    const stored: Promise<void>[] = []
    for (const { conversation, seq } of body.cursors) {
      if (feed?.acknowledge(conversation, seq) !== 'in_window') {
        const place = await this.#placeOf({ conversation, device })
        if (seq > readableEnd(place)) return 'overrun'
        feed?.skip(conversation, seq)
      }
      stored.push(this.#cursors.put({ conversation, device, seq }))
    }
    if (feed) this.#feeds.mark(feed)
    await Promise.all(stored)
    return 'stored'
  }

  /** Looks again where the logs reach that are followed here. */
  reread(): Promise<void> {
    return this.#feeds.reread()
  }

  /** The socket's buffer has room again. */
  wake(feed: Feed): void {
    this.#feeds.mark(feed)
  }

  close(feed: Feed): void {
    this.#feeds.close(feed)
  }

  /** To be called after retention removed entries: nothing removed is handed out any more. */
  forgetRecent(): void {
    this.#recent.clear()
  }

  /** Ends all feeds. */
  stop(): void {
    this.#feeds.closeAll()
  }

  /** Resolves when everything handed in so far is on stable storage or refused. */
  settled(): Promise<void> {
    return this.#deps.store.settled()
  }

  /**
   * Entries after a position, as far as the device may read them and as many as one answer carries. Of a device that was removed and
   * added again, those of one membership: it has to read its removal before it can read on.
   */
  async entries(device: DeviceId, page: { conversation: ConversationId; after: number; limit: number }) {
    const { conversation } = page
    const place = await this.#placeOf({ conversation, device })
    const past = await ledger.pastBeyond(this.#deps.database.kysely, { conversation, device, seq: page.after })
    const head = past?.toSeq ?? readableEnd(place)
    const after = Math.max(page.after, past?.fromSeq ?? place.fromSeq)
    const [entries = []] = await this.#deps.store.ranges([{ ...page, after, end: head, bytes: limits.windowBytes }])
    return { head, entries }
  }

  /**
   * Hashes of entries after a position, also of those before the device joined: they say nothing without the bytes. They end
   * where one is missing, because their place is all that says whose they are.
   */
  async hashes(device: DeviceId, page: { conversation: ConversationId; after: number; limit: number }) {
    const head = readableEnd(await this.#placeOf({ conversation: page.conversation, device }))
    const kept = await ledger.hashesIn(this.#deps.database.kysely, { ...page, end: head })
    const hole = kept.findIndex(({ seq }, at) => seq !== page.after + 1 + at)
    return { head, hashes: (hole < 0 ? kept : kept.slice(0, hole)).map(({ hash }) => new Uint8Array(hash)) }
  }

  /** For each conversation the lines of members who are online here, as far as the store says that they are members now. */
  async audiences(conversations: readonly ConversationId[]): Promise<Line[][]> {
    const listening = conversations.map((conversation) => [...this.#feeds.of(conversation)].map(({ line }) => ({ conversation, line })))
    const pairs = listening.flat().map(({ conversation, line }) => ({ conversation, device: line.device }))
    const positions = await this.#deps.store.positions(pairs)
    let at = 0
    return listening.map((lines) => lines.filter(() => positions[at++]?.toSeq === null).map(({ line }) => line))
  }

  /** Whether the device is a member now. */
  async isMember(pair: Pair): Promise<boolean> {
    const [position] = await this.#deps.store.positions([pair])
    return position?.toSeq === null
  }

  /** Whether both have a device in one conversation now. */
  sharesConversation(account: AccountId, other: AccountId): Promise<boolean> {
    return ledger.share(this.#deps.database.kysely, account, other)
  }

  /** Accounts that share a conversation with this one now. */
  coMembers(account: AccountId): Promise<AccountId[]> {
    return ledger.coMembers(this.#deps.database.kysely, account)
  }

  async #placeOf(pair: Pair): Promise<Place> {
    const place = await ledger.placeOf(this.#deps.database.kysely, pair)
    if (!place) throw new Refusal('not_found')
    return place
  }

  /** Where a device resumes is what it has stored; the store itself refuses what lies past the end. */
  #storeResumed(cursor: CursorAt): void {
    // Nobody waits for these: a cursor that is not stored is only sent again.
    this.#cursors.put(cursor).catch((error: unknown) => this.#deps.onFault(error))
  }
}
