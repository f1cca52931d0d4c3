/**
 * The delivery room's front door: the log of each conversation, who may read it, and the feeds that stream it. The log is
 * the truth; a feed and the bus only carry it.
 */
import { Refusal, type AccountId, type BodyOf, type ConversationId, type DeviceId, type ResultOf } from '@tacit/contract'
import type { DatabaseSync } from 'node:sqlite'
import type { SqliteDatabase } from '../storage/sqlite/sqlite-database.ts'
import { acceptMessage, acceptNack, type AcceptDeps } from './accept-message.ts'
import { StoredCursors } from './cursors.ts'
import { DeliveryReader, DeliveryWriter, readableEnd, type Place } from './delivery.store.ts'
import type { Feed, FeedSources, Line } from './feed.ts'
import { Feeds } from './feeds.ts'

export interface DeliveryDeps extends Pick<FeedSources, 'mail' | 'kept'>, Omit<AcceptDeps, 'writer'> {
  readonly database: SqliteDatabase
  readonly ledger: Ledger
}

/** The store's two sides, shared with the conversations room, which appends commits. */
export interface Ledger {
  readonly reader: DeliveryReader
  writer(sqlite: DatabaseSync): DeliveryWriter
}

export interface Acknowledgement {
  /** What the device is reading from, if it has resumed. */
  readonly feed: Feed | undefined
  readonly device: DeviceId
  readonly body: BodyOf<'delivery.acknowledge'>
}

/** Whether each cursor of an acknowledgement was acceptable; `overrun`: the device claims to have what never existed for it. */
export type AcknowledgeOutcome = 'stored' | 'overrun'

export function openLedger(database: SqliteDatabase): Ledger {
  let writer: DeliveryWriter | undefined
  return {
    reader: database.read((sqlite) => new DeliveryReader(sqlite)),
    writer: (sqlite) => (writer ??= new DeliveryWriter(sqlite)),
  }
}

export class Delivery {
  readonly #accept: AcceptDeps
  readonly #reader: DeliveryReader
  readonly #cursors: StoredCursors
  readonly #feeds: Feeds

  constructor(deps: DeliveryDeps) {
    const { database, bus, ledger, mail, kept } = deps
    this.#accept = { ...deps, writer: (sqlite) => ledger.writer(sqlite) }
    this.#reader = ledger.reader
    this.#cursors = new StoredCursors(this.#accept)
    this.#feeds = new Feeds({ database, bus, reader: ledger.reader, mail, kept })
  }

  /** Appends a message or proposal; resolves when it is on stable storage. */
  send(sender: DeviceId, body: BodyOf<'delivery.send'>): Promise<ResultOf<'delivery.send'>> {
    return acceptMessage(this.#accept, { sender, body })
  }

  /** Appends a device's word that it could not process a commit. */
  nack(sender: DeviceId, body: BodyOf<'delivery.nack'>): Promise<ResultOf<'delivery.nack'>> {
    return acceptNack(this.#accept, { sender, body })
  }

  /** Starts streaming to a line. Cursors of conversations that are not the device's are left out, as if they did not exist. */
  resume(line: Line, { cursors }: BodyOf<'delivery.resume'>): Feed {
    const given = new Map(cursors.map(({ conversation, seq }) => [conversation, seq]))
    const feed = this.#feeds.open(line, given)
    this.#storeResumed(line.device, given)
    return feed
  }

  /** Stores what the device has; resolves when that is on stable storage. */
  async acknowledge({ feed, device, body }: Acknowledgement): Promise<AcknowledgeOutcome> {
    const stored: Promise<void>[] = []
    for (const { conversation, seq } of body.cursors) {
      if (feed?.acknowledge(conversation, seq) !== 'in_window') {
        const place = this.#placeOf(conversation, device)
        if (seq > readableEnd(place)) return 'overrun'
        feed?.skip(conversation, seq)
      }
      stored.push(this.#cursors.advance({ conversation, device, seq }))
    }
    if (feed) this.#feeds.mark(feed)
    await Promise.all(stored)
    return 'stored'
  }

  /** The socket's buffer has room again. */
  wake(feed: Feed): void {
    this.#feeds.mark(feed)
  }

  close(feed: Feed): void {
    this.#feeds.close(feed)
  }

  /** Ends all feeds. */
  stop(): void {
    this.#feeds.closeAll()
  }

  /** Resolves when everything handed in so far is on stable storage or refused. */
  settled(): Promise<void> {
    return this.#accept.groupCommit.submit(() => undefined)
  }

  /** Entries after a position, as far as the device may read them. */
  entries(device: DeviceId, page: { conversation: ConversationId; after: number; limit: number }) {
    const place = this.#placeOf(page.conversation, device)
    const head = readableEnd(place)
    return { head, entries: this.#reader.entries({ ...page, after: Math.max(page.after, place.fromSeq), end: head }) }
  }

  /**
   * Hashes of entries after a position, also of those before the device joined: they say nothing without the bytes. They end
   * where one is missing, because their place is all that says whose they are.
   */
  hashes(device: DeviceId, page: { conversation: ConversationId; after: number; limit: number }) {
    const head = readableEnd(this.#placeOf(page.conversation, device))
    const kept = this.#reader.hashes({ ...page, end: head })
    const hole = kept.findIndex(({ seq }, at) => seq !== page.after + 1 + at)
    return { head, hashes: (hole < 0 ? kept : kept.slice(0, hole)).map(({ hash }) => hash) }
  }

  /** Lines of members of the conversation who are online here, as far as the store says that they are members now. */
  *audience(conversation: ConversationId): Generator<Line> {
    for (const { line } of this.#feeds.of(conversation)) {
      if (this.#reader.place(conversation, line.device)?.toSeq === null) yield line
    }
  }

  /** Whether both have a device in one conversation now. */
  sharesConversation(account: AccountId, other: AccountId): Promise<boolean> {
    return Promise.resolve(this.#reader.share(account, other))
  }

  /** Accounts that share a conversation with this one now. */
  coMembers(account: AccountId): Promise<AccountId[]> {
    return Promise.resolve(this.#reader.coMembers(account))
  }

  #placeOf(conversation: ConversationId, device: DeviceId): Place {
    const place = this.#reader.place(conversation, device)
    if (!place) throw new Refusal('not_found')
    return place
  }

  /** Where a device resumes is what it has stored; the store itself refuses what lies past the end. */
  #storeResumed(device: DeviceId, cursors: ReadonlyMap<ConversationId, number>): void {
    for (const [conversation, seq] of cursors) {
      const place = this.#reader.place(conversation, device)
      // Nobody waits for these: a cursor that is not stored is only sent again.
      if (place && seq > place.cursor) this.#cursors.advance({ conversation, device, seq }).catch(() => undefined)
    }
  }
}
