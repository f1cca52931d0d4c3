/**
 * One socket: what is written to it, how full it is, and what it owes the server. Ten thousand of these sleep at a time, so
 * there is no timer, closure or buffer per socket: listeners are shared functions, and one sweep looks after all.
 */
import type { Duplex } from 'node:stream'
import { closeCodes, encodeEvent, type AccountId, type DeviceId, type EventOf, type SessionId } from '@tacit/contract'
import { WebSocket } from 'ws'
import type { Clock } from '../clock.ts'
import type { Feed, Line } from '../delivery/feed.ts'
import type { SocketLimits } from './socket-limits.ts'
import { writeFrames } from './socket-writing.ts'

export type CloseReason = keyof typeof closeCodes

/** Whose socket it is. `opening` until a good hello. */
export type Identity =
  | { readonly kind: 'opening'; readonly since: number }
  | { readonly kind: 'checking'; readonly since: number; readonly backlog: Uint8Array[] }
  | { readonly kind: 'open'; readonly line: DeviceLine; readonly session: SessionId; readonly expiresAt: number; readonly noticed: boolean }

/**
 * Why a socket is not read, a bit each: too many of its commands wait for an answer, others have their turn, it has spent its budget,
 * the server stops, it was closed and went on, its account brought too many bytes.
 */
const HOLDS = { answers: 1, others: 2, budget: 4, stop: 8, end: 16, bytes: 32 } as const

/** What all sockets of a gateway share. */
export interface SocketSurroundings {
  readonly clock: Clock
  readonly limits: SocketLimits
  readonly turn: Turn
  /** The socket's buffer was over the soft limit and is empty now. */
  drained(socket: SocketLine): void
}

export class SocketLine {
  readonly address: string
  readonly #socket: WebSocket
  readonly #duplex: Duplex
  readonly #shared: SocketSurroundings
  identity: Identity
  heardAt: number
  pingedAt = 0
  inFlight = 0
  strikes = 0
  closing = false
  /** When the buffer went over the soft limit; 0 while it is under. */
  congestedSince = 0
  /** Bytes that came in this turn of the loop, or since it was closed. */
  #came = 0
  /** Bits of `HOLDS`. */
  #held = 0
  /** What was sent in this turn. */
  readonly #frames: Uint8Array[] = []
  #frameBytes = 0
  #awaitsDrain = false

  constructor(connection: { socket: WebSocket; duplex: Duplex; address: string; now: number }, shared: SocketSurroundings) {
    const { socket, duplex, address, now } = connection
    this.#socket = socket
    this.#duplex = duplex
    this.address = address
    this.#shared = shared
    this.identity = { kind: 'opening', since: now }
    this.heardAt = now
  }

  /** Bytes that wait to be taken by the network. */
  get buffered(): number {
    return this.#duplex.writableLength + this.#frameBytes
  }

  get congested(): boolean {
    return this.buffered > this.#shared.limits.softBuffer
  }

  /** Frames of one turn of the loop leave together. A reader that lets too much pile up is closed. */
  send(frame: Uint8Array): void {
    if (this.closing) return
    if (this.#frames.push(frame) === 1) this.#shared.turn.writes(this)
    this.#frameBytes += frame.length
    if (this.buffered > this.#shared.limits.hardBuffer) this.close('tooSlow')
    else if (this.congestedSince === 0 && this.congested) this.congestedSince = this.#shared.clock.now()
  }

  /** Hands what was sent to the network. */
  write(): void {
    const frames = this.#frames.splice(0)
    const bytes = this.#frameBytes
    this.#frameBytes = 0
    if (frames.length === 0 || this.#socket.readyState !== WebSocket.OPEN) return
    writeFrames(this.#duplex, frames, bytes)
    if (this.congestedSince > 0 && !this.#awaitsDrain) this.#awaitDrain()
  }

  announceEnd(reason: EventOf<'connection.ending'>['reason'], seconds: number): void {
    this.send(encodeEvent({ name: 'connection.ending', body: { reason, seconds } }))
  }

  close(reason: CloseReason): void {
    this.closeWith(closeCodes[reason])
  }

  /** Nothing more is sent or heard. */
  closeWith(code: number): void {
    if (this.closing) return
    this.closing = true
    this.#came = 0
    this.write()
    this.#socket.close(code)
  }

  terminate(): void {
    this.closing = true
    this.#socket.terminate()
  }

  ping(now: number): void {
    this.pingedAt = now
    this.#socket.ping()
  }

  pong(data: Buffer): void {
    if (!this.closing) this.#socket.pong(data)
  }

  /** So many bytes came. Returns whether it brought so much in this turn that others come first. */
  heard(bytes: number, now: number): boolean {
    this.heardAt = now
    if (this.#came === 0) this.#shared.turn.reads(this)
    this.#came += bytes
    return this.#came >= this.#shared.limits.atOnce
  }

  /** More of it is read when others had their turn. */
  letOthersGo(): void {
    this.hold('others')
    this.#shared.turn.holds(this)
  }

  endTurn(): void {
    if (!this.closing) this.#came = 0
  }

  /** It was refused for a spent budget. What it goes on to send waits with it for a while, instead of being read and refused. */
  rest(): void {
    this.#holdFor('budget', this.#shared.limits.restsFor)
  }

  /** Its account brought more bytes than it may: the next ones are read in so many seconds. */
  waitForBytes(seconds: number): void {
    this.#holdFor('bytes', Math.min(seconds * 1000, this.#shared.limits.readsWithin))
  }

  /** So many bytes came after it was closed: on their way already, or by somebody who does not care. */
  ignore(bytes: number): void {
    this.#came += bytes
    if (this.#came < this.#shared.limits.afterEnd || (this.#held & HOLDS.end) > 0) return
    this.hold('end')
    setTimeout(() => this.terminate(), this.#shared.limits.lingers).unref()
  }

  #holdFor(why: 'budget' | 'bytes', milliseconds: number): void {
    if (this.closing || (this.#held & HOLDS[why]) > 0) return
    this.hold(why)
    setTimeout(() => this.release(why), milliseconds).unref()
  }

  /** Stops reading, until every reason for it is gone: the network then holds back the sender. */
  hold(why: keyof typeof HOLDS): void {
    if (this.#held === 0) this.#socket.pause()
    this.#held |= HOLDS[why]
  }

  release(why: keyof typeof HOLDS): void {
    if (this.#held === 0) return
    this.#held &= ~HOLDS[why]
    if (this.#held === 0) this.#socket.resume()
  }

  #awaitDrain(): void {
    if (!this.#duplex.writableNeedDrain) return this.#drained()
    this.#awaitsDrain = true
    this.#duplex.once('drain', () => this.#drained())
  }

  #drained(): void {
    this.#awaitsDrain = false
    this.congestedSince = 0
    this.#shared.drained(this)
  }
}

/** An open socket as rooms see it. */
export class DeviceLine implements Line {
  readonly account: AccountId
  readonly device: DeviceId
  /** Of the device's sockets the one with the highest number is the newest; 0 where there is one server. */
  readonly number: number
  readonly #line: SocketLine
  feed: Feed | undefined

  constructor(line: SocketLine, owner: { readonly account: AccountId; readonly device: DeviceId; readonly number: number }) {
    this.account = owner.account
    this.device = owner.device
    this.number = owner.number
    this.#line = line
  }

  get congested(): boolean {
    return this.#line.congested
  }

  send(frame: Uint8Array): void {
    this.#line.send(frame)
  }

  close(reason: CloseReason): void {
    this.#line.close(reason)
  }

  get socket(): SocketLine {
    return this.#line
  }
}

/** How long nobody is read on after somebody was: as multiples of what that took, and at most, milliseconds. The process may have stood still. */
const RESTS = { times: 3, longest: 250 } as const

/**
 * A turn of the loop. Those who brought so much in it that they are held are read on one after the other, however many they are, with
 * rests between: together they take a quarter of the time, and of what others bring most finds the loop free. Its end, when all is
 * written, is after the promises that are settled now, and after the feeds that were marked by them, which are served in a tick
 * (feeds.ts). So the answers of one group commit and the entries that it made leave in one write per socket.
 */
export class Turn {
  #lines: SocketLine[] = []
  #read: SocketLine[] = []
  /** Those that let others go first, in their order. */
  readonly #held = new Set<SocketLine>()
  readonly #elapsed: () => number
  #scheduled = false
  #rests = false

  /** `elapsed`: milliseconds that pass, whatever the clock says. */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed
  }

  /** Something of the line was read. */
  reads(line: SocketLine): void {
    this.#read.push(line)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#end())
  }

  /** The line is held until its turn comes. */
  holds(line: SocketLine): void {
    this.#held.add(line)
  }

  /** Something is to be written to the line. */
  writes(line: SocketLine): void {
    if (this.#lines.push(line) === 1) process.nextTick(() => process.nextTick(() => this.#writeAll()))
  }

  #end(): void {
    this.#scheduled = false
    const lines = this.#read
    this.#read = []
    for (const line of lines) line.endTurn()
    this.#readOn()
  }

  /** What was read of it is stored and handed on in the turn after. */
  #readOn(): void {
    if (this.#rests) return
    const [next] = this.#held
    if (!next) return
    this.#held.delete(next)
    this.#rests = true
    const began = this.#elapsed()
    next.release('others')
    setImmediate(() => setImmediate(() => this.#rest(this.#elapsed() - began)))
  }

  #rest(took: number): void {
    const goOn = (): void => {
      this.#rests = false
      this.#readOn()
    }
    if (this.#held.size === 0) goOn()
    else setTimeout(goOn, Math.min(RESTS.times * took, RESTS.longest)).unref()
  }

  #writeAll(): void {
    const lines = this.#lines
    this.#lines = []
    for (const line of lines) line.write()
  }
}
