/**
 * The signals room's front door: sealed signals go to the members who are online and are forgotten; a kept one also
 * replaces the device's last, and is given to members when they resume. Nothing here is in the log or has an order.
 */
import { encodeEvent, Refusal, type BodyOf, type DeviceId } from '@tacit/contract'
import type { Bus, NoticeOf } from '../bus/bus.ts'
import type { Delivery, Ledger } from '../delivery/delivery.ts'
import type { Line } from '../delivery/feed.ts'
import type { GroupCommit } from '../delivery/group-commit.ts'
import type { SqliteDatabase } from '../storage/sqlite/sqlite-database.ts'
import { SignalsReader, SignalsWriter, type KeptPosition, type KeptSignal } from './signals.store.ts'

export interface SignalsDeps {
  readonly database: SqliteDatabase
  readonly groupCommit: GroupCommit
  readonly ledger: Ledger
  readonly bus: Bus
}

const PAGE = 64

export class Signals {
  readonly #deps: SignalsDeps
  readonly #reader: SignalsReader
  #writer: SignalsWriter | undefined

  constructor(deps: SignalsDeps) {
    this.#deps = deps
    this.#reader = deps.database.read((sqlite) => new SignalsReader(sqlite))
  }

  /** Passes a signal on; a kept one is on stable storage when this resolves. */
  async send(sender: DeviceId, { conversation, epoch, keep, bytes }: BodyOf<'signals.send'>): Promise<void> {
    if (this.#deps.ledger.reader.place(conversation, sender)?.toSeq !== null) throw new Refusal('not_found')
    this.#deps.bus.ring({ kind: 'signal', conversation, sender, epoch, kept: keep, bytes })
    if (!keep) return
    await this.#deps.groupCommit.submitUnhurried((sqlite) => {
      this.#writer ??= new SignalsWriter(sqlite)
      this.#writer.keep({ conversation, sender, epoch, bytes })
    })
  }

  /** Frames with the kept signals that a device may read, read page by page. */
  *kept(device: DeviceId): Generator<Uint8Array, undefined> {
    let after: KeptPosition = { conversation: '', sender: '' }
    for (;;) {
      const page = this.#reader.keptFor(device, { after, limit: PAGE })
      for (const signal of page) yield frameOf(signal, true)
      const last = page.at(-1)
      if (!last || page.length < PAGE) return undefined
      after = last
    }
  }

  /** Hands signals from the bus to the lines of members who are online here. Returns the way to stop. */
  passTo(delivery: Pick<Delivery, 'audience'>): () => void {
    return this.#deps.bus.listen('signal', (notice) => pass(notice, delivery.audience(notice.conversation)))
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

const frameOf = ({ conversation, sender, epoch, bytes }: Omit<KeptSignal, 'bytes'> & { bytes: Uint8Array }, kept: boolean): Uint8Array =>
  encodeEvent({ name: 'signals.signal', body: { conversation, sender, epoch, kept, bytes: new Uint8Array(bytes) } })
