/**
 * A device of the crowd: it speaks the wire itself, fast, and keeps the manners of the protocol (docs/protocol/delivery.md): what
 * has no answer is said again in the same bytes under the same counter, after a reconnect the log comes first, and after a
 * new epoch a message is sealed again under its old number. What it does and is told goes into the history.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { ConversationId, Entry, EventFrame, EventOf } from '@tacit/contract'
import { ask, WireSocket, type WireDevice } from '../wire-device.ts'
import { hashOf, messageIn } from './crowd-bytes.ts'
import type { Lane } from './lane.ts'
import { orLate } from './patience.ts'
import type { Recorder } from './recorder.ts'

/** What a crowd wants of its members, and hears from them. */
export interface CrowdHears {
  readonly recorder: Recorder
  /** Where to connect, asked at each attempt. */
  address(): string
  /** A message or commit was accepted, so many milliseconds after it was offered. */
  accepted(took: number): void
  /** Somebody else's message arrived. */
  delivered(message: string): void
  /** A message was offered for the first time. */
  offered(message: string): void
  /** The server refused something, by name. */
  refused(failure: string): void
  /** A socket came to its end, with this close code. */
  lost(code: number | 'given up'): void
}

/** Between two attempts to connect, milliseconds. */
const RECONNECT = 20

export class CrowdMember {
  readonly device: WireDevice
  readonly lanes = new Map<ConversationId, Lane>()
  readonly hears: CrowdHears
  #socket: WireSocket | undefined
  #caughtUp: () => void = () => undefined
  #life: Promise<void> | undefined
  #ended = false
  #acknowledging = false
  #isCaughtUp = false
  #onEntry: (at: number) => void = () => undefined
  #accessToken: string
  #refreshToken: string
  readonly #toAcknowledge = new Map<ConversationId, number>()

  constructor(device: WireDevice, hears: CrowdHears) {
    this.device = device
    this.#accessToken = device.accessToken
    this.#refreshToken = device.refreshToken
    this.hears = hears
  }

  /** From now on this device reads a conversation, after `from`. */
  join(lane: Lane, from: number): void {
    const { device, account } = this.device
    lane.cursor = from
    this.lanes.set(lane.conversation, lane)
    this.hears.recorder.operation({ op: 'join', phase: 'ok', device, conv: lane.conversation, seq: from, account })
  }

  /** Connects, and again whenever the connection is lost. */
  start(): void {
    this.#ended = false
    this.#life ??= this.#live()
  }

  /** Disconnects for good. */
  async stop(): Promise<void> {
    this.#ended = true
    await this.#socket?.drop()
    await this.#life
    this.#life = undefined
  }

  /** So many messages more, in each conversation. */
  write(count: number): void {
    for (const lane of this.lanes.values()) lane.write(count)
  }

  /** When the next entry arrives here, by the recorder's clock. */
  firstEntry(): Promise<number> {
    return new Promise((resolve) => (this.#onEntry = resolve))
  }

  /** The socket ends without a word; the device comes again. */
  async reconnect(): Promise<void> {
    await this.#socket?.drop()
  }

  /** Whether it has a socket, and has caught up on it. */
  get isConnected(): boolean {
    return this.#isCaughtUp
  }

  /** Whether the server knows of everything that this device has. */
  get hasAcknowledged(): boolean {
    return !this.#acknowledging && this.#toAcknowledge.size === 0
  }

  /** Everything that this device still has to say. */
  get outbox(): number {
    return [...this.lanes.values()].reduce((sum, lane) => sum + lane.outbox, 0)
  }

  async #live(): Promise<void> {
    while (!this.#ended) {
      const socket = await this.#connected().catch(() => undefined)
      // It may have been stopped while the socket was opened.
      if (this.#ended) await socket?.drop()
      else if (socket) await this.#session(socket)
      if (!this.#ended) await pause(RECONNECT)
    }
  }

  async #connected(): Promise<WireSocket> {
    const url = this.hears.address()
    const opening = WireSocket.open({ url, accessToken: this.#accessToken, onEvent: (event) => this.#hear(event) })
    try {
      return await orLate(opening, () => void opening.then((late) => late.drop()).catch(() => undefined))
    } catch (error) {
      if (error instanceof Error && error.message.includes('unauthenticated')) await this.#renew(url)
      throw error
    }
  }

  /** Tokens end after a while, and sooner when a clock jumps. */
  async #renew(url: string): Promise<void> {
    const { status, body } = await ask({ url, method: 'POST', path: '/v1/sessions/renew', body: { refreshToken: this.#refreshToken } })
    if (status !== 200) return
    this.#accessToken = String(body['accessToken'])
    this.#refreshToken = String(body['refreshToken'])
  }

  /** Until the socket is closed. */
  async #session(socket: WireSocket): Promise<void> {
    this.#socket = socket
    const closed = socket.closed.then((code) => this.hears.lost(socket.isDropped ? 'given up' : code))
    const caughtUp = new Promise<void>((resolve) => (this.#caughtUp = resolve))
    const cursors = [...this.lanes].map(([conversation, { cursor }]) => ({ conversation, seq: cursor }))
    try {
      await orLate(
        Promise.race([Promise.all([socket.command('delivery.resume', { cursors }), caughtUp]), closed]),
        () => void socket.drop(),
      )
      this.#isCaughtUp = true
      if (this.#toAcknowledge.size > 0 && !this.#acknowledging) void this.#acknowledge()
      await Promise.all([...this.lanes.values()].map((lane) => lane.talk(socket, closed)))
    } catch {
      // Late: the socket was dropped.
    }
    await closed
    this.#isCaughtUp = false
    this.#socket = undefined
    this.#acknowledging = false
  }

  #hear(event: EventFrame): void {
    if (event.name === 'delivery.caughtUp') this.#caughtUp()
    if (event.name === 'delivery.entries') this.#take(event.body)
  }

  #take({ conversation, entries }: EventOf<'delivery.entries'>): void {
    const lane = this.lanes.get(conversation)
    if (!lane) return
    this.#onEntry(this.hears.recorder.now())
    for (const entry of entries) if (entry.seq > lane.cursor) this.#keep(lane, entry)
    this.#toAcknowledge.set(conversation, lane.cursor)
    if (!this.#acknowledging) void this.#acknowledge()
  }

  /** "Durably": this process is not the one that is killed. */
  #keep(lane: Lane, entry: Entry): void {
    const { conversation } = lane
    const { seq, bytes, kind } = entry
    const { device } = this.device
    const hash = hashOf(bytes)
    const message = kind === 'message' ? messageIn(bytes) : undefined
    const said = { device, conv: conversation, seq, hash, ...(message !== undefined && { message_id: message }) }
    this.hears.recorder.operation({ op: 'recv', phase: 'ok', ...said })
    if (message !== undefined && entry.sender !== device) this.hears.delivered(message)
    lane.kept(entry, hash)
  }

  /** One at a time; what comes meanwhile goes with the next. */
  async #acknowledge(): Promise<void> {
    const socket = this.#socket
    this.#acknowledging = true
    while (socket && this.#toAcknowledge.size > 0 && socket === this.#socket) {
      const cursors = [...this.#toAcknowledge].map(([conversation, seq]) => ({ conversation, seq }))
      this.#toAcknowledge.clear()
      this.#recordCursors('invoke', cursors)
      const { ok } = await socket.command('delivery.acknowledge', { cursors })
      if (ok) this.#recordCursors('ok', cursors)
      else
        for (const { conversation, seq } of cursors)
          this.#toAcknowledge.set(conversation, Math.max(seq, this.#toAcknowledge.get(conversation) ?? 0))
      if (!ok) await pause(RECONNECT)
    }
    if (socket === this.#socket) this.#acknowledging = false
  }

  #recordCursors(phase: 'invoke' | 'ok', cursors: readonly { conversation: ConversationId; seq: number }[]): void {
    const { device } = this.device
    for (const { conversation, seq } of cursors) this.hears.recorder.operation({ op: 'ack', phase, device, conv: conversation, seq })
  }
}
