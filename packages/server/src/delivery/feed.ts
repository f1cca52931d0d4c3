/**
 * A feed streams the logs of one device's conversations to one socket, from the store or what was just stored, in three phases:
 *
 * 1. Backfill. Where the device stands, welcomes, then each log from its cursor to where it stood when the feed was opened.
 * 2. Cut over. The feed listens for doorbells before it reads those heads, so what is accepted meanwhile only moves a
 *    goal further; nothing falls between. Kept signals follow, then `caughtUp`.
 * 3. Live. A doorbell moves the goal of one conversation, and the feed reads up to it.
 *
 * A feed reads nothing itself: it says what it wants next (`want`), feeds.ts reads for all feeds together, and the feed
 * sends what it is given (`take`). At most a window of entries is unacknowledged, and nothing is wanted while the socket's
 * buffer is full. Doorbells may be lost or doubled: they only say where to look.
 */
import { encodeEvent, limits, type AccountId, type ConversationId, type DeviceId } from '@tacit/contract'
import { readableEnd, type CursorAt, type Place } from './delivery.store.ts'
import { NEVER, type EntryPage, type PageAnswer, type PageRequest } from './pages.ts'

/** What a feed writes to: one socket of one device. */
export interface Line {
  readonly account: AccountId
  readonly device: DeviceId
  send(frame: Uint8Array): void
  /** True while the socket's buffer is over its soft limit; its owner calls `Feed.wake` when that has passed. */
  readonly congested: boolean
}

/** Where a reader of kept signals stands: they are ordered by conversation, then sender. */
export interface KeptPosition {
  readonly conversation: ConversationId
  readonly sender: DeviceId
}

/** What a feed needs next. `rung` says which doorbells the reading covers. */
export type Want =
  | { readonly kind: 'places'; readonly rung: number }
  | { readonly kind: 'mailbox'; readonly rung: number }
  | { readonly kind: 'welcome'; readonly position: number }
  | ({ readonly kind: 'page' } & PageRequest)
  | { readonly kind: 'kept'; readonly after: KeptPosition | undefined }

/** What was read for a want of the same kind. */
export type Found =
  | { readonly kind: 'places'; readonly rung: number; readonly places: readonly Place[] }
  /** Positions of the welcomes that wait, in their order. */
  | { readonly kind: 'mailbox'; readonly rung: number; readonly positions: readonly number[] }
  | { readonly kind: 'welcome'; readonly position: number; readonly frame: Uint8Array | undefined }
  | ({ readonly kind: 'page'; readonly request: PageRequest } & PageAnswer)
  /** `next`: where the reader stands after these; undefined when there are no more. */
  | { readonly kind: 'kept'; readonly frames: readonly Uint8Array[]; readonly next: KeptPosition | undefined }

/** How an acknowledgement relates to what was sent here. */
export type Acknowledged = 'in_window' | 'not_sent'

type SentFrame = Pick<EntryPage, 'end' | 'entries' | 'bytes'>

interface Track {
  /** Everything up to here was sent, or is on the device already. */
  sent: number
  /** Where a doorbell said that the log reaches. */
  goal: number
  /** The last epoch in which the store said that the device is a member. */
  memberIn: number
  waiting: boolean
  /** Unacknowledged frames, oldest first. */
  frames: SentFrame[] | undefined
}

/** How far kept signals were read, and what of that is still to be sent. */
interface KeptReading {
  readonly frames: Uint8Array[]
  readonly after: KeptPosition | undefined
  readonly more: boolean
}

/** What one frame takes at most; the largest entry fits. */
const FRAME_BYTES = 256 * 1024
const FRAME_ENTRIES = 128

/**
 * Bytes of the window at first: a frame. It doubles with each frame that is acknowledged, up to the limit, so that whoever comes, takes what
 * it is given, acknowledges nothing and comes again is not given the same megabyte each time.
 */
const FIRST_WINDOW = FRAME_BYTES

export class Feed {
  readonly line: Line
  readonly #tracks = new Map<ConversationId, Track>()
  /** Where the device says that it stands; only for the first look at its places. */
  #cursors: ReadonlyMap<ConversationId, number> | undefined
  #waiting: ConversationId[] = []
  /** Doorbells of the mailbox so far, and those that the last reading of places and of the mailbox covers. */
  #rung = 1
  #placesRead = 0
  #mailboxRead = 0
  /** Welcomes to be sent, and those that were: positions may become visible in another order than they were given. */
  #welcomes: number[] | undefined
  #welcomed: Set<number> | undefined
  #unackedEntries = 0
  #unackedBytes = 0
  #windowBytes = FIRST_WINDOW
  /** Undefined once the feed is live. */
  #kept: KeptReading | undefined = { frames: [], after: undefined, more: true }
  /** The window has no room for the entry that comes next; an acknowledgement makes some. */
  #noRoom = false
  #closed = false
  /** True while its registry has it on the list of feeds to serve. */
  scheduled = false

  constructor(line: Line, cursors: ReadonlyMap<ConversationId, number>) {
    this.line = line
    this.#cursors = cursors
  }

  /** A doorbell: the log reaches `head`. Returns whether there is something to read. */
  grown(conversation: ConversationId, head: number): boolean {
    const track = this.#tracks.get(conversation)
    if (!track || head <= track.goal) return false
    track.goal = head
    if (!track.waiting) this.#waiting.push(conversation)
    track.waiting = true
    return true
  }

  /** A doorbell: a welcome may wait, or a membership may have begun. */
  mailed(): void {
    this.#rung += 1
  }

  /** The device has stored everything up to `seq`: room in the window. Going backwards changes nothing. */
  acknowledge(conversation: ConversationId, seq: number): Acknowledged {
    const track = this.#tracks.get(conversation)
    if (!track || seq > track.sent) return 'not_sent'
    this.#release(track, seq)
    return 'in_window'
  }

  /** The device has these from elsewhere (it read them by route): they need not be sent. */
  skip(conversation: ConversationId, seq: number): void {
    const track = this.#tracks.get(conversation)
    if (!track) return
    this.#release(track, seq)
    track.sent = Math.max(track.sent, seq)
    track.goal = Math.max(track.goal, seq)
  }

  /** What has to be read so that the feed can go on; undefined when there is nothing to send, or no room for it. */
  want(): Want | undefined {
    if (this.#closed || this.line.congested) return undefined
    if (this.#placesRead < this.#rung) return { kind: 'places', rung: this.#rung }
    if (this.#mailboxRead < this.#rung) return { kind: 'mailbox', rung: this.#rung }
    const position = this.#welcomes?.[0]
    if (position !== undefined) return { kind: 'welcome', position }
    const page = this.#wantPage()
    if (page || this.#waiting.length > 0 || !this.#kept) return page
    return this.#finishBackfill()
  }

  /** Sends what was read for the last want, unless the world has moved on meanwhile. */
  take(found: Found): void {
    if (this.#closed) return
    if (found.kind === 'page') this.#takePage(found)
    else if (found.kind === 'mailbox') this.#takeMailbox(found)
    else if (found.kind === 'welcome') this.#takeWelcome(found)
    else if (found.kind === 'kept') this.#takeKept(found)
  }

  /** Follows all conversations that the device is in. Returns them, and the cursors that are news to the store. */
  takePlaces({ places, rung }: Extract<Found, { kind: 'places' }>): { follows: ConversationId[]; news: CursorAt[] } {
    const cursors = this.#cursors
    this.#cursors = undefined
    this.#placesRead = Math.max(this.#placesRead, rung)
    const followed = places.filter((place) => this.#startsAt(place, cursors) !== undefined)
    for (const place of followed) this.#follow(place, this.#startsAt(place, cursors) ?? 0)
    const { device } = this.line
    const news = places.flatMap(({ conversation, cursor }) => {
      const seq = cursors?.get(conversation) ?? 0
      return seq > cursor ? [{ conversation, device, seq }] : []
    })
    return { follows: followed.map(({ conversation }) => conversation), news }
  }

  get isOpen(): boolean {
    return !this.#closed
  }

  close(): void {
    this.#closed = true
    this.#tracks.clear()
    this.#waiting = []
  }

  conversations(): Iterable<ConversationId> {
    return this.#tracks.keys()
  }

  /** Where to begin with a place; undefined if there is nothing to follow. Later looks are for memberships that began. */
  #startsAt(place: Place, cursors: ReadonlyMap<ConversationId, number> | undefined): number | undefined {
    if (!cursors) return place.toSeq !== null && !this.#tracks.has(place.conversation) ? undefined : place.fromSeq
    const from = cursors.get(place.conversation) ?? place.cursor
    return place.toSeq !== null && from >= place.toSeq ? undefined : from
  }

  #follow(place: Place, from: number): void {
    const end = readableEnd(place)
    const sent = Math.min(Math.max(from, place.fromSeq), end)
    const memberIn = place.toSeq === null ? place.epoch : NEVER
    const track = this.#tracks.get(place.conversation)
    if (track) {
      track.sent = Math.max(track.sent, sent)
      track.memberIn = memberIn
    } else this.#tracks.set(place.conversation, { sent, goal: sent, memberIn, waiting: false, frames: undefined })
    this.grown(place.conversation, end)
  }

  #takeMailbox({ positions, rung }: Extract<Found, { kind: 'mailbox' }>): void {
    this.#mailboxRead = Math.max(this.#mailboxRead, rung)
    const unsent = positions.filter((position) => !this.#welcomed?.has(position))
    if (unsent.length === 0) return
    this.#welcomed = new Set([...(this.#welcomed ?? []), ...unsent])
    this.#welcomes = [...(this.#welcomes ?? []), ...unsent]
  }

  #takeWelcome({ position, frame }: Extract<Found, { kind: 'welcome' }>): void {
    if (this.#welcomes?.[0] !== position) return
    this.#welcomes.shift()
    if (frame) this.line.send(frame)
  }

  #wantPage(): Want | undefined {
    for (let conversation = this.#waiting[0]; conversation !== undefined; conversation = this.#waiting[0]) {
      const track = this.#tracks.get(conversation)
      if (track && track.sent < track.goal) return this.#windowIsFull() ? undefined : this.#pageOf(conversation, track)
      if (track) track.waiting = false
      this.#waiting.shift()
    }
    return undefined
  }

  #pageOf(conversation: ConversationId, { sent, goal, memberIn }: Track): Want {
    return {
      kind: 'page',
      conversation,
      device: this.line.device,
      after: sent,
      goal,
      memberIn,
      limit: Math.min(FRAME_ENTRIES, limits.windowEntries - this.#unackedEntries),
      bytes: Math.min(FRAME_BYTES, this.#windowBytes - this.#unackedBytes),
      atLeastOne: this.#unackedBytes === 0,
    }
  }

  #takePage({ request, outcome, membership }: Extract<Found, { kind: 'page' }>): void {
    const track = this.#tracks.get(request.conversation)
    // An acknowledgement came before the page: the device has these entries.
    if (!track || track.sent !== request.after) return
    if (membership) {
      track.memberIn = membership.memberIn
      track.sent = Math.max(track.sent, membership.fromSeq)
    }
    if (outcome.kind === 'nothing') track.goal = track.goal === request.goal ? track.sent : track.goal
    else if (outcome.kind === 'no_room') this.#noRoom = true
    else this.#sendPage(track, outcome)
  }

  #sendPage(track: Track, { frame, end, entries, bytes }: EntryPage): void {
    track.sent = end
    ;(track.frames ??= []).push({ end, entries, bytes })
    this.#unackedEntries += entries
    this.#unackedBytes += bytes
    this.line.send(frame)
  }

  #windowIsFull(): boolean {
    return this.#noRoom || this.#unackedEntries >= limits.windowEntries || this.#unackedBytes >= this.#windowBytes
  }

  #release(track: Track, seq: number): void {
    this.#noRoom = false
    for (let oldest = track.frames?.[0]; oldest && oldest.end <= seq; oldest = track.frames?.[0]) {
      this.#unackedEntries -= oldest.entries
      this.#unackedBytes -= oldest.bytes
      this.#windowBytes = Math.min(2 * this.#windowBytes, limits.windowBytes)
      track.frames?.shift()
    }
    if (track.frames?.length === 0) track.frames = undefined
  }

  /** Sends the kept signals that were read; wants more of them, or says that all came. */
  #finishBackfill(): Want | undefined {
    while (this.#kept && !this.line.congested) {
      const frame = this.#kept.frames.shift()
      if (frame) this.line.send(frame)
      else if (this.#kept.more) return { kind: 'kept', after: this.#kept.after }
      else {
        this.#kept = undefined
        this.line.send(encodeEvent({ name: 'delivery.caughtUp', body: {} }))
      }
    }
    return undefined
  }

  #takeKept({ frames, next }: Extract<Found, { kind: 'kept' }>): void {
    if (this.#kept) this.#kept = { frames: [...frames], after: next, more: next !== undefined }
  }
}
