/**
 * All feeds of this process: which are interested in a conversation, and which have something to send. Doorbells only mark
 * feeds. At the end of the turn those who are awake are given what was accepted just now; for the others one pass reads
 * together, so many doorbells cost one read.
 */
import type { ConversationId, DeviceId } from '@tacit/contract'
import type { Bus } from '../bus/bus.ts'
import type { CursorAt, DeliveryStore, Place } from './delivery.store.ts'
import { Feed, type Found, type KeptPosition, type Line, type Want } from './feed.ts'
import { readPages, type PageAnswer, type PageRequest } from './pages.ts'
import type { Recent } from './recent.ts'
import { Shares } from './shares.ts'

/** Welcomes of a device. */
export interface Mail {
  /** Positions of those that wait, in their order. */
  waiting(device: DeviceId): Promise<readonly number[]>
  /** As a frame; undefined when the device has acknowledged it. */
  frame(device: DeviceId, position: number): Promise<Uint8Array | undefined>
}

export interface FeedSources {
  readonly mail: Mail
  /** Frames with kept signals that the device may read, a page of them after a position. */
  kept(device: DeviceId, after: KeptPosition | undefined): Promise<{ frames: readonly Uint8Array[]; next: KeptPosition | undefined }>
}

export interface FeedsDeps extends FeedSources {
  readonly bus: Bus
  readonly store: Pick<DeliveryStore, 'positions' | 'ranges'>
  readonly recent: Pick<Recent, 'page' | 'served'>
  /** All places of a device. */
  places(device: DeviceId): Promise<readonly Place[]>
  /** A device that resumed has stored more than the store knows. */
  onNews(cursor: CursorAt): void
  /** Hears why nothing could be read. It is tried again. */
  onFault(error: unknown): void
  /** Milliseconds that pass, whatever the clock says. */
  elapsed(): number
}

/**
 * So that a thousand devices which come back at once do not hold up the loop. How many have something read for them depends on what
 * there is (pages.ts), so twice as many ask as were served the last time, and no more.
 */
const FEEDS_PER_PASS = { least: 8, most: 256 } as const

/** Logs that are looked at with one query. */
const PLACES_PER_LOOK = 10_000

/** When the store could not be read, milliseconds. */
const AGAIN_AFTER = 250

/** Where a device says that it stands. */
export type Cursors = ReadonlyMap<ConversationId, number>

interface Asking {
  readonly feed: Feed
  readonly want: Want
}

export class Feeds {
  readonly #deps: FeedsDeps
  readonly #byConversation = new Map<ConversationId, Set<Feed>>()
  readonly #byDevice = new Map<DeviceId, Feed>()
  readonly #shares: Shares
  /** To be served at the end of this turn, and those of them for whom something has to be read: the later ones are given much. */
  #marked: Feed[] = []
  readonly #reading: Feed[] = []
  readonly #later: Feed[] = []
  #resting: NodeJS.Timeout | undefined
  #passing = false
  #asking: number = FEEDS_PER_PASS.most
  #again: NodeJS.Timeout | undefined
  /** Doorbells during a pass: what it has read of places may be older. */
  readonly #rungMeanwhile = new Map<ConversationId, number>()

  constructor(deps: FeedsDeps) {
    this.#deps = deps
    this.#shares = new Shares(() => deps.elapsed())
    deps.bus.listen('log', ({ conversation, head }) => this.#grown(conversation, head))
    deps.bus.listen('mailbox', ({ device }) => this.#mailed(device))
  }

  /** Starts delivery on a line, from the cursors given or else from the stored ones. One feed per device: an older one ends. */
  open(line: Line, cursors: Cursors): Feed {
    const older = this.#byDevice.get(line.device)
    if (older) this.close(older)
    const feed = new Feed(line, cursors)
    this.#byDevice.set(line.device, feed)
    this.mark(feed)
    return feed
  }

  close(feed: Feed): void {
    for (const conversation of feed.conversations()) this.#unlist(conversation, feed)
    if (this.#byDevice.get(feed.line.device) === feed) this.#byDevice.delete(feed.line.device)
    feed.close()
  }

  closeAll(): void {
    clearTimeout(this.#again)
    clearTimeout(this.#resting)
    for (const feed of this.#byDevice.values()) this.close(feed)
  }

  /** Puts a feed on the list of those to be served. */
  mark(feed: Feed): void {
    if (feed.scheduled) return
    feed.scheduled = true
    // Ticks run when the promises that are settled now have had their turn: all doorbells of one group commit are heard by then.
    if (this.#marked.push(feed) === 1) process.nextTick(() => this.#serveMarked())
  }

  /** Looks where all logs reach that are followed here: doorbells may have been lost. */
  async reread(): Promise<void> {
    const pairs = [...this.#byConversation].flatMap(([conversation, feeds]) =>
      [...feeds].slice(0, 1).map(({ line: { device } }) => ({ conversation, device })),
    )
    for (let at = 0; at < pairs.length; at += PLACES_PER_LOOK) {
      const part = pairs.slice(at, at + PLACES_PER_LOOK)
      const positions = await this.#deps.store.positions(part)
      for (const [which, { conversation }] of part.entries()) this.#grown(conversation, positions[which]?.head ?? 0)
    }
  }

  /** Feeds of devices that follow a conversation here and now. */
  of(conversation: ConversationId): Iterable<Feed> {
    return this.#byConversation.get(conversation) ?? []
  }

  #serveMarked(): void {
    const marked = this.#marked
    this.#marked = []
    for (const feed of marked) {
      const line = this.#shares.asks(feed.line.account) ? this.#later : this.#reading
      if (this.#giveRecent(feed)) feed.scheduled = false
      else line.push(feed)
    }
    this.#deps.recent.served()
    this.#goOn()
  }

  /** Those who are given much are served when they have rested, whoever else waits, or they would never be. */
  #goOn(): void {
    if (this.#passing) return
    if (this.#reading.length > 0) this.#shares.othersWait()
    const { rest } = this.#shares
    if (this.#later.length > 0 && rest === 0) void this.#shares.serve(() => this.#pass(this.#later))
    else if (this.#reading.length > 0) void this.#pass(this.#reading)
    else if (this.#later.length > 0) this.#restFor(rest)
  }

  #restFor(time: number): void {
    this.#resting ??= setTimeout(() => {
      this.#resting = undefined
      this.#goOn()
    }, time)
  }

  /** Gives a feed what is at hand. Returns whether that was all. */
  #giveRecent(feed: Feed): boolean {
    for (let want = feed.want(); want; want = feed.want()) {
      const outcome = want.kind === 'page' ? this.#deps.recent.page(want) : undefined
      if (!outcome || want.kind !== 'page') return false
      feed.take({ kind: 'page', request: want, outcome })
    }
    return true
  }

  /** One at a time, and one in a turn of the loop: meanwhile others gather for the next. */
  async #pass(line: Feed[]): Promise<void> {
    this.#passing = true
    const asking = this.#nextAsking(line)
    try {
      if (asking.length > 0) this.#goFirst(line, await this.#serve(asking))
    } catch (error) {
      this.#deps.onFault(error)
      this.#again = setTimeout(() => this.#markAll(asking), AGAIN_AFTER)
    }
    setImmediate(() => this.#passed())
  }

  #passed(): void {
    this.#rungMeanwhile.clear()
    this.#passing = false
    this.#goOn()
  }

  #nextAsking(line: Feed[]): Asking[] {
    return line.splice(0, this.#asking).flatMap((feed) => {
      feed.scheduled = false
      const want = feed.want()
      return want ? [{ feed, want }] : []
    })
  }

  #markAll(asking: readonly Asking[]): void {
    for (const { feed } of asking) if (feed.isOpen) this.mark(feed)
  }

  /** Reads what all of them want, pages together, and gives it to them. Returns those who were not come to. */
  async #serve(asking: readonly Asking[]): Promise<Feed[]> {
    const found = await this.#readAll(asking)
    const left: Feed[] = []
    for (const [at, { feed }] of asking.entries()) {
      const one = found[at]
      if (!one) left.push(feed)
      else if (feed.isOpen) this.#give(feed, one)
    }
    this.#asking = Math.min(Math.max(FEEDS_PER_PASS.least, 2 * (asking.length - left.length)), FEEDS_PER_PASS.most)
    return left
  }

  #give(feed: Feed, found: Found): void {
    if (found.kind === 'places') this.#takePlaces(feed, found)
    else feed.take(found)
    if (found.kind === 'page' && found.outcome.kind === 'page') this.#shares.gives(feed.line.account, found.outcome.bytes)
    if (feed.want()) this.mark(feed)
  }

  /** Those that were not come to: in the next pass before all others, or whoever has much to read would be served alone. */
  #goFirst(line: Feed[], feeds: readonly Feed[]): void {
    const waiting = feeds.filter((feed) => !feed.scheduled)
    for (const feed of waiting) feed.scheduled = true
    line.unshift(...waiting)
  }

  /** In the order asked; undefined for whom there was no room. */
  async #readAll(asking: readonly Asking[]): Promise<(Found | undefined)[]> {
    const requests = asking.flatMap(({ want }) => (want.kind === 'page' ? [want] : []))
    const pages = await readPages(this.#deps.store, requests)
    if (requests.length === asking.length) return requests.map((request, at) => pageFound(request, pages[at]))
    const byRequest = new Map<Want, Found | undefined>(requests.map((request, at) => [request, pageFound(request, pages[at])]))
    return Promise.all(
      asking.map(async ({ feed, want }) => (want.kind === 'page' ? byRequest.get(want) : this.#look(feed.line.device, want))),
    )
  }

  async #look(device: DeviceId, want: Exclude<Want, { kind: 'page' }>): Promise<Found> {
    const { mail, kept, places } = this.#deps
    if (want.kind === 'places') return { ...want, places: await places(device) }
    if (want.kind === 'mailbox') return { ...want, positions: await mail.waiting(device) }
    if (want.kind === 'welcome') return { ...want, frame: await mail.frame(device, want.position) }
    return { kind: 'kept', ...(await kept(device, want.after)) }
  }

  #takePlaces(feed: Feed, found: Extract<Found, { kind: 'places' }>): void {
    const { follows, news } = feed.takePlaces(found)
    for (const conversation of follows) {
      this.#list(conversation, feed)
      feed.grown(conversation, this.#rungMeanwhile.get(conversation) ?? 0)
    }
    for (const cursor of news) this.#deps.onNews(cursor)
  }

  #grown(conversation: ConversationId, head: number): void {
    if (this.#passing) this.#rungMeanwhile.set(conversation, Math.max(head, this.#rungMeanwhile.get(conversation) ?? 0))
    for (const feed of this.of(conversation)) {
      if (feed.grown(conversation, head)) this.mark(feed)
    }
  }

  /** A membership may have begun or begun anew, so all places are read again; what is followed already is not sent twice. */
  #mailed(device: DeviceId): void {
    const feed = this.#byDevice.get(device)
    if (!feed) return
    feed.mailed()
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

const pageFound = (request: PageRequest, answer: PageAnswer | undefined): Found | undefined =>
  answer && { kind: 'page', request, ...answer }
