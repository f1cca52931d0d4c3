/**
 * The signals room's front door: sealed signals go to the members who are online and are forgotten; a kept one also
 * replaces the device's last, and is given to members when they resume. Nothing here is in the log or has an order.
 */
import { encodeEvent, Refusal, type AccountId, type BodyOf, type DeviceId } from '@tacit/contract'
import type { Bus, NoticeOf } from '../bus/bus.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { KeptPosition, Line } from '../delivery/feed.ts'
import type { Database } from '../storage/database.ts'
import { Gathered } from '../storage/gathered.ts'
import { audienceOf, heardBy, keptFor, keptSince, type NewKeptSignal, type SignalStore } from './signals.store.ts'

export interface SignalsDeps {
  readonly database: Database
  readonly store: SignalStore
  readonly bus: Bus
  /** Whether the device is a member of the conversation now. */
  isMember(pair: { conversation: NewKeptSignal['conversation']; device: DeviceId }): Promise<boolean>
  /** Hears why signals could not be passed on. */
  onFault(error: unknown): void
}

const PAGE = 64

/** Signals that may wait to be handed on; beyond it the oldest are worth nothing any more. */
const MAX_WAITING = 10_000

export class Signals {
  readonly #deps: SignalsDeps
  readonly #kept: Gathered<NewKeptSignal>
  #waiting: NoticeOf<'signal'>[] = []
  #passing: Promise<void> | undefined
  #delivery: Pick<Delivery, 'audiences'> | undefined

  constructor(deps: SignalsDeps) {
    this.#deps = deps
    this.#kept = new Gathered({
      key: ({ conversation, sender }) => conversation + sender,
      supersedes: () => true,
      write: (take) => deps.store.keep(take),
    })
  }

  /** Passes a signal on; a kept one is on stable storage when this resolves. */
  async send(sender: DeviceId, { conversation, epoch, keep, bytes }: BodyOf<'signals.send'>): Promise<void> {
    if (!(await this.#deps.isMember({ conversation, device: sender }))) throw new Refusal('not_found')
    this.#deps.bus.ring({ kind: 'signal', conversation, sender, epoch, kept: keep, bytes })
    if (keep) await this.#kept.put({ conversation, sender, epoch, bytes })
  }

  /** Frames with kept signals that a device may read, a page of them after a position. */
  async kept(
    device: DeviceId,
    after: KeptPosition | undefined,
  ): Promise<{ frames: readonly Uint8Array[]; next: KeptPosition | undefined }> {
    const page = await keptFor(this.#deps.database.kysely, device, { after, limit: PAGE })
    return { frames: page.map((signal) => frameOf(signal, true)), next: page.length < PAGE ? undefined : page.at(-1) }
  }

  /** Whom the kept signals of an account are for. */
  audienceOf(account: AccountId): Promise<readonly AccountId[]> {
    return audienceOf(this.#deps.database.kysely, account)
  }

  /** Whose kept signals are for the account. */
  heardBy(account: AccountId): Promise<readonly AccountId[]> {
    return heardBy(this.#deps.database.kysely, account)
  }

  /** Passes kept signals on that were stored since a horizon: their doorbells may have been lost. */
  async reread(since: number): Promise<void> {
    for (const signal of await keptSince(this.#deps.database.kysely, since)) this.#waiting.push({ kind: 'signal', kept: true, ...signal })
    this.#pass()
  }

  /** Hands signals from the bus to the lines of members who are online here, in their order. Returns the way to stop. */
  passTo(delivery: Pick<Delivery, 'audiences'>): () => void {
    this.#delivery = delivery
    return this.#deps.bus.listen('signal', (notice) => {
      this.#waiting.push(notice)
      if (this.#waiting.length > MAX_WAITING) this.#waiting.shift()
      this.#pass()
    })
  }

  /** Resolves when the signals so far were handed on. */
  passed(): Promise<void> {
    return this.#passing ?? Promise.resolve()
  }

  #pass(): void {
    if (this.#delivery && this.#waiting.length > 0) this.#passing ??= this.#passAll(this.#delivery)
  }

  /** Those that came while others were handed on go together. */
  async #passAll(delivery: Pick<Delivery, 'audiences'>): Promise<void> {
    for (let notices = this.#takeWaiting(); notices.length > 0; notices = this.#takeWaiting()) {
      try {
        const audiences = await delivery.audiences(notices.map(({ conversation }) => conversation))
        for (const [at, notice] of notices.entries()) pass(notice, audiences[at] ?? [])
      } catch (error) {
        this.#deps.onFault(error)
      }
    }
    this.#passing = undefined
  }

  #takeWaiting(): NoticeOf<'signal'>[] {
    const taken = this.#waiting
    this.#waiting = []
    return taken
  }
}

/** A line whose buffer is full goes without: a signal is worth nothing late. */
function pass(notice: NoticeOf<'signal'>, audience: Iterable<Line>): void {
  let frame: Uint8Array | undefined
  for (const line of audience) {
    if (line.device === notice.sender || line.congested) continue
    line.send((frame ??= frameOf(notice, notice.kept)))
  }
}

const frameOf = ({ conversation, sender, epoch, bytes }: NewKeptSignal, kept: boolean): Uint8Array =>
  encodeEvent({ name: 'signals.signal', body: { conversation, sender, epoch, kept, bytes: new Uint8Array(bytes) } })
