/**
 * A feed streams the logs of one device's conversations to one socket, always from the store, in three phases:
 *
 * 1. Backfill. Welcomes first, then each log from its cursor to where it stood when the feed was opened.
 * 2. Cut over. The feed listens for doorbells before it reads those heads, so what is accepted meanwhile only moves a
 *    goal further; nothing falls between. Kept signals follow, then `caughtUp`.
 * 3. Live. A doorbell moves the goal of one conversation, and the feed reads up to it.
 *
 * At most a window of entries is unacknowledged, and nothing is read while the socket's buffer is full. Doorbells may be
 * lost or doubled: they only say where to look. Whether the device may read is asked of the store each time.
 */
import { encodeEvent, limits, type AccountId, type ConversationId, type DeviceId } from '@tacit/contract'
import { readableEnd, type DeliveryReader, type Place } from './delivery.store.ts'
import type { PageOutcome, Pages } from './pages.ts'

/** What a feed writes to: one socket of one device. */
export interface Line {
  readonly account: AccountId
  readonly device: DeviceId
  send(frame: Uint8Array): void
  /** True while the socket's buffer is over its soft limit; its owner calls `Feed.wake` when that has passed. */
  readonly congested: boolean
}

/** Welcomes of a device, one at a time in their order. */
export interface Mail {
  after(device: DeviceId, position: number): { readonly position: number; readonly frame: Uint8Array } | undefined
}

export interface FeedSources {
  readonly reader: DeliveryReader
  readonly pages: Pages
  readonly mail: Mail
  /** Frames with the kept signals that the device may read. */
  kept(device: DeviceId): Iterator<Uint8Array>
}

/** How an acknowledgement relates to what was sent here. */
export type Acknowledged = 'in_window' | 'not_sent'

interface SentFrame {
  readonly end: number
  readonly entries: number
  readonly bytes: number
}

interface Track {
  /** Everything up to here was sent, or is on the device already. */
  sent: number
  /** Where a doorbell said that the log reaches. */
  goal: number
  waiting: boolean
  /** Unacknowledged frames, oldest first. */
  frames: SentFrame[] | undefined
}

type Phase = { readonly kind: 'backfill' } | { readonly kind: 'kept'; readonly frames: Iterator<Uint8Array> } | { readonly kind: 'live' }

/** What one frame takes at most; the largest entry fits. */
const FRAME_BYTES = 256 * 1024
const FRAME_ENTRIES = 128

const BACKFILL: Phase = { kind: 'backfill' }
const LIVE: Phase = { kind: 'live' }

export class Feed {
  readonly line: Line
  readonly #sources: FeedSources
  readonly #tracks = new Map<ConversationId, Track>()
  #waiting: ConversationId[] = []
  #mailPosition = 0
  #mailWaiting = true
  #unackedEntries = 0
  #unackedBytes = 0
  #phase = BACKFILL
  #closed = false
  /** True while its registry has it on the list of feeds to pump. */
  scheduled = false

  constructor(line: Line, sources: FeedSources) {
    this.line = line
    this.#sources = sources
  }

  /** Follows a conversation from `from`, or from where the membership begins if that is later. */
  follow(place: Place, from: number): void {
    const end = readableEnd(place)
    const sent = Math.min(Math.max(from, place.fromSeq), end)
    const track = this.#tracks.get(place.conversation)
    if (track) track.sent = Math.max(track.sent, sent)
    else this.#tracks.set(place.conversation, { sent, goal: sent, waiting: false, frames: undefined })
    this.grown(place.conversation, end)
  }

  follows(conversation: ConversationId): boolean {
    return this.#tracks.has(conversation)
  }

  /** A doorbell: the log reaches `head`. Returns whether there is something to pump. */
  grown(conversation: ConversationId, head: number): boolean {
    const track = this.#tracks.get(conversation)
    if (!track || head <= track.goal) return false
    track.goal = head
    if (!track.waiting) this.#waiting.push(conversation)
    track.waiting = true
    return true
  }

  /** A doorbell: a welcome may wait. */
  mailed(): void {
    this.#mailWaiting = true
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

  /** Sends what there is, as far as window and socket allow. Safe to call at any time. */
  pump(): void {
    if (this.#closed || !this.#sendMail() || !this.#sendEntries() || this.#phase.kind === 'live') return
    this.#finishBackfill()
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

  /** The steps return whether they are done; if not, an acknowledgement or the drained socket brings the next pump. */
  #sendMail(): boolean {
    while (this.#mailWaiting) {
      if (this.line.congested) return false
      const next = this.#sources.mail.after(this.line.device, this.#mailPosition)
      if (!next) break
      this.#mailPosition = next.position
      this.line.send(next.frame)
    }
    this.#mailWaiting = false
    return true
  }

  #sendEntries(): boolean {
    for (let conversation = this.#waiting[0]; conversation !== undefined; conversation = this.#waiting[0]) {
      const track = this.#tracks.get(conversation)
      while (track && track.sent < track.goal) {
        if (this.line.congested || this.#windowIsFull() || !this.#sendPage(conversation, track)) return false
      }
      if (track) track.waiting = false
      this.#waiting.shift()
    }
    return true
  }

  /** Returns false when the next entry does not fit into the window. */
  #sendPage(conversation: ConversationId, track: Track): boolean {
    const page = this.#readPage(conversation, track)
    if (page === 'no_room') return false
    if (page === 'nothing') {
      track.goal = track.sent
      return true
    }
    track.sent = page.end
    ;(track.frames ??= []).push({ end: page.end, entries: page.entries, bytes: page.bytes })
    this.#unackedEntries += page.entries
    this.#unackedBytes += page.bytes
    this.line.send(page.frame)
    return true
  }

  #readPage(conversation: ConversationId, track: Track): PageOutcome {
    const place = this.#sources.reader.place(conversation, this.line.device)
    if (!place) return 'nothing'
    if (place.fromSeq > track.sent) track.sent = place.fromSeq
    return this.#sources.pages.read({
      conversation,
      after: track.sent,
      end: readableEnd(place),
      limit: Math.min(FRAME_ENTRIES, limits.windowEntries - this.#unackedEntries),
      bytes: Math.min(FRAME_BYTES, limits.windowBytes - this.#unackedBytes),
      atLeastOne: this.#unackedBytes === 0,
    })
  }

  #windowIsFull(): boolean {
    return this.#unackedEntries >= limits.windowEntries || this.#unackedBytes >= limits.windowBytes
  }

  #release(track: Track, seq: number): void {
    for (let oldest = track.frames?.[0]; oldest && oldest.end <= seq; oldest = track.frames?.[0]) {
      this.#unackedEntries -= oldest.entries
      this.#unackedBytes -= oldest.bytes
      track.frames?.shift()
    }
    if (track.frames?.length === 0) track.frames = undefined
  }

  #finishBackfill(): void {
    const phase = this.#phase.kind === 'kept' ? this.#phase : { kind: 'kept' as const, frames: this.#sources.kept(this.line.device) }
    this.#phase = phase
    while (!this.line.congested) {
      const next = phase.frames.next()
      if (next.done) {
        this.#phase = LIVE
        this.line.send(encodeEvent({ name: 'delivery.caughtUp', body: {} }))
        return
      }
      this.line.send(next.value)
    }
  }
}
