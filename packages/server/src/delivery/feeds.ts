/**
 * All feeds of this process: which are interested in a conversation, and which have something to send. Doorbells only mark
 * feeds; one pass at the end of the turn serves all that were marked, so many doorbells cost one read.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { ConversationId, DeviceId } from '@tacit/contract'
import type { Bus } from '../bus/bus.ts'
import type { SqliteDatabase } from '../storage/sqlite/sqlite-database.ts'
import { Feed, type FeedSources, type Line } from './feed.ts'
import { readableEnd } from './delivery.store.ts'
import { Pages } from './pages.ts'

export interface FeedsDeps extends Omit<FeedSources, 'pages'> {
  readonly bus: Bus
  readonly database: Pick<SqliteDatabase, 'read'>
}

/** So that a thousand devices which come back at once do not hold up the loop, nor their pages the memory. */
const FEEDS_PER_PASS = 256

/** Where a device says that it stands. */
export type Cursors = ReadonlyMap<ConversationId, number>

export class Feeds {
  readonly #deps: FeedsDeps
  readonly #sources: FeedSources
  readonly #pages: Pages
  readonly #byConversation = new Map<ConversationId, Set<Feed>>()
  readonly #byDevice = new Map<DeviceId, Feed>()
  #marked: Feed[] = []

  constructor(deps: FeedsDeps) {
    this.#deps = deps
    this.#pages = new Pages(deps.reader)
    this.#sources = { reader: deps.reader, pages: this.#pages, mail: deps.mail, kept: (device) => deps.kept(device) }
    deps.bus.listen('log', ({ conversation, head }) => this.#grown(conversation, head))
    deps.bus.listen('mailbox', ({ device }) => this.#mailed(device))
  }

  /** Starts delivery on a line, from the cursors given or else from the stored ones. One feed per device: an older one ends. */
  open(line: Line, cursors: Cursors): Feed {
    const older = this.#byDevice.get(line.device)
    if (older) this.close(older)
    const feed = new Feed(line, this.#sources)
    this.#byDevice.set(line.device, feed)
    this.#followAll(feed, cursors)
    this.mark(feed)
    return feed
  }

  close(feed: Feed): void {
    for (const conversation of feed.conversations()) this.#unlist(conversation, feed)
    if (this.#byDevice.get(feed.line.device) === feed) this.#byDevice.delete(feed.line.device)
    feed.close()
  }

  closeAll(): void {
    for (const feed of this.#byDevice.values()) this.close(feed)
  }

  /** Puts a feed on the list for the next pass. */
  mark(feed: Feed): void {
    if (feed.scheduled) return
    feed.scheduled = true
    // Ticks run when the promises that are settled now have had their turn: all doorbells of one group commit share a pass.
    if (this.#marked.length === 0) process.nextTick(() => this.#pass())
    this.#marked.push(feed)
  }

  /** Feeds of devices that follow a conversation here and now. */
  of(conversation: ConversationId): Iterable<Feed> {
    return this.#byConversation.get(conversation) ?? []
  }

  #pass(): void {
    const marked = this.#marked.splice(0, FEEDS_PER_PASS)
    if (this.#marked.length > 0) setImmediate(() => this.#pass())
    for (const feed of marked) feed.scheduled = false
    const open = marked.filter((feed) => feed.isOpen)
    if (open.length > 0) this.#deps.database.read((sqlite) => this.#pump(sqlite, open))
  }

  /** One read transaction for the whole pass: one snapshot, and one lock instead of one for each statement. */
  #pump(sqlite: DatabaseSync, feeds: readonly Feed[]): void {
    sqlite.exec('BEGIN')
    try {
      for (const feed of feeds) feed.pump()
    } finally {
      sqlite.exec('COMMIT')
      this.#pages.forget()
    }
  }

  #followAll(feed: Feed, cursors: Cursors): void {
    for (const place of this.#deps.reader.places(feed.line.device)) {
      const from = cursors.get(place.conversation) ?? place.cursor
      if (place.toSeq !== null && from >= place.toSeq) continue
      feed.follow(place, Math.min(from, readableEnd(place)))
      this.#list(place.conversation, feed)
    }
  }

  #grown(conversation: ConversationId, head: number): void {
    for (const feed of this.of(conversation)) {
      if (feed.grown(conversation, head)) this.mark(feed)
    }
  }

  /** A membership may have begun or begun anew, so all places are read again; what is followed already is not sent twice. */
  #mailed(device: DeviceId): void {
    const feed = this.#byDevice.get(device)
    if (!feed) return
    feed.mailed()
    for (const place of this.#deps.reader.places(device)) {
      if (place.toSeq !== null && !feed.follows(place.conversation)) continue
      feed.follow(place, place.fromSeq)
      this.#list(place.conversation, feed)
    }
    this.mark(feed)
  }

  #list(conversation: ConversationId, feed: Feed): void {
    const feeds = this.#byConversation.get(conversation)
    if (feeds) feeds.add(feed)
    else this.#byConversation.set(conversation, new Set([feed]))
  }

  #unlist(conversation: ConversationId, feed: Feed): void {
    const feeds = this.#byConversation.get(conversation)
    feeds?.delete(feed)
    if (feeds?.size === 0) this.#byConversation.delete(conversation)
  }
}
