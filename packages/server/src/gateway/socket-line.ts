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

/** What all sockets of a gateway share. */
export interface SocketSurroundings {
  readonly clock: Clock
  readonly limits: SocketLimits
  readonly turn: TurnEnd
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

  /** Stops and resumes reading: the network then holds back the sender. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
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

/**
 * The end of a turn of the loop: after the promises that are settled now, and after the feeds that were marked by them, which
 * are served in a tick (feeds.ts). So the answers of one group commit and the entries that it made leave in one write per socket.
 */
export class TurnEnd {
  #lines: SocketLine[] = []

  /** Something is to be written to the line. */
  writes(line: SocketLine): void {
    if (this.#lines.push(line) === 1) process.nextTick(() => process.nextTick(() => this.#writeAll()))
  }

  #writeAll(): void {
    const lines = this.#lines
    this.#lines = []
    for (const line of lines) line.write()
  }
}
