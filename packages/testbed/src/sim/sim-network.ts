/**
 * The network of one simulated device, as the SDK wants it: requests and a socket on the real server's own doors, with a
 * simulated road between. An answer can be lost after the server acted; a request can arrive twice.
 */
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Network, OpenSocket, SocketListener } from '@tacit/sdk'
import { SUBPROTOCOL } from '@tacit/contract'
import type { House } from '@tacit/server'
import type { Dice } from './dice.ts'
import type { Loop, Process } from './loop.ts'
import { FrameReader, maskedFrame, OPCODE, type Frame } from './websocket-frames.ts'
import { Wire, type Road } from './wire.ts'

/** A server that runs. */
export interface RunningServer {
  readonly house: House
  readonly process: Process
}

/** Hears what goes over a device's end, and may change or swallow what comes. */
export interface Tap {
  /** A socket of its own was opened. */
  socket(): SocketTap
  /** The answer to a request as the device shall see it. */
  answered(url: string, body: string): string
}

export interface SocketTap {
  sent(bytes: Uint8Array): void
  /** The bytes as the device shall see them; undefined for nothing. */
  received(bytes: Uint8Array): Uint8Array | undefined
  ended(): void
}

/** How a device is connected: outlives the device's processes. */
export class Cable {
  readonly road: Road = { delay: [1, 20], loseOnceIn: 0, cut: false }
  readonly wires = new Set<Wire>()
  readonly hints = new Set<() => void>()
  /** Requests whose answers the road has swallowed. */
  readonly unanswered = new Set<() => void>()
  /** Whether the platform knows that there is no network. */
  known = false
  /** One answer in so many is lost after the server acted; 0 for none. */
  loseAnswerOnceIn = 0

  /** A connection that is cut off without a word; `known`: the platform tells its programs. */
  cut({ known }: { known: boolean }): void {
    this.road.cut = true
    this.known = known
    for (const wire of this.wires) wire.silence()
    if (known) for (const hint of this.hints) hint()
  }

  restore(): void {
    const told = this.known
    this.road.cut = false
    this.road.loseOnceIn = 0
    this.loseAnswerOnceIn = 0
    this.known = false
    for (const wire of this.wires) wire.wake()
    this.#forgetBroken()
    // As with the wires: who has come back knows nothing of these connections.
    for (const reset of this.unanswered) reset()
    this.unanswered.clear()
    if (told) for (const hint of this.hints) hint()
  }

  resetAll(): void {
    for (const wire of this.wires) wire.reset()
    this.#forgetBroken()
  }

  #forgetBroken(): void {
    for (const wire of this.wires) if (wire.isBroken) this.wires.delete(wire)
  }
}

/** As long as the SDK's own network waits, in milliseconds. */
const PATIENCE = 30_000

/** When the platform itself repeats what a road swallowed (RFC 6298: after a second, doubled), milliseconds from the first time. */
const REPEATED = [1000, 3000, 7000, 15_000]

/** RFC 6455 section 7.4.1. */
const ABNORMAL = 1006
const NO_STATUS = 1005

export interface SimNetworkParts {
  readonly loop: Loop
  readonly dice: Dice
  readonly cable: Cable
  readonly process: Process
  readonly server: () => RunningServer | undefined
  readonly tap: Tap
}

export class SimNetwork implements Network {
  readonly #parts: SimNetworkParts

  constructor(parts: SimNetworkParts) {
    this.#parts = parts
  }

  isOnline(): boolean {
    return !this.#parts.cable.known
  }

  onHint(listener: () => void): () => void {
    const { cable, process } = this.#parts
    const hint = (): void => {
      if (process.alive) this.#parts.loop.within(process, listener)
    }
    cable.hints.add(hint)
    return () => cable.hints.delete(hint)
  }

  fetch(url: string, init: RequestInit): Promise<Response> {
    const { loop, process, cable, tap } = this.#parts
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new TypeError('no answer'))
      const stop = loop.after(PATIENCE, fail, process)
      const end = (work: () => void) => (): void => {
        stop()
        work()
      }
      if (cable.known) return void loop.soon(end(fail), process)
      const reset = (): void => void loop.after(this.#delay(), end(fail), process)
      const answer = (status: number, body: string): void =>
        void loop.after(
          this.#delay(),
          end(() => resolve(new Response(status === 204 ? null : tap.answered(url, body), { status }))),
          process,
        )
      this.#carry({ url, init, answer, reset })
    })
  }

  /** One way to the server and back. A road that is cut swallows what is on it, and it is repeated. */
  #carry({ url, init, answer, reset }: Carried, times = 0): void {
    const { loop, process, cable, dice } = this.#parts
    if (cable.road.cut) return repeated({ loop, process, times }, () => this.#carry({ url, init, answer, reset }, times + 1))
    if (this.#isLost()) return reset()
    const arrive = async (): Promise<void> => {
      const server = this.#parts.server()
      if (!server) return reset()
      server.process.onEnd(reset)
      const { status, body } = await loop.within(server.process, () => this.#ask(server, url, init))
      if (!server.process.alive) return
      if (cable.road.cut) return void cable.unanswered.add(reset)
      if (cable.loseAnswerOnceIn > 0 && dice.onceIn(cable.loseAnswerOnceIn)) return reset()
      answer(status, body)
    }
    // Whoever runs when it arrives answers it; the server that ran when it was sent may be gone.
    loop.after(this.#delay(), () => void arrive().catch(reset), 'nobody')
  }

  async #ask({ house }: RunningServer, url: string, init: RequestInit): Promise<{ status: number; body: string }> {
    const { host, pathname, search } = new URL(url)
    const { statusCode, body } = await house.http.inject({
      method: methodOf(init),
      url: pathname + search,
      headers: { host, ...Object.fromEntries(new Headers(init.headers)) },
      ...(typeof init.body === 'string' && { payload: init.body }),
    })
    return { status: statusCode, body }
  }

  #isLost(): boolean {
    const { dice, cable } = this.#parts
    return cable.road.loseOnceIn > 0 && dice.onceIn(cable.road.loseOnceIn)
  }

  #delay(): number {
    return this.#parts.dice.between(...this.#parts.cable.road.delay)
  }

  openSocket({ url, listener }: { readonly url: string; readonly protocol: string; readonly listener: SocketListener }): OpenSocket {
    return new SimSocket({ ...this.#parts, url, listener })
  }
}

/** Does it again when the platform would, after it was swallowed so many times before; not at all after the last time. */
function repeated(
  { loop, process, times }: Pick<SimNetworkParts, 'loop' | 'process'> & { readonly times: number },
  work: () => void,
): void {
  const [at, before = 0] = [REPEATED[times], REPEATED[times - 1]]
  if (at !== undefined) loop.after(at - before, work, process)
}

interface Carried {
  readonly url: string
  readonly init: RequestInit
  answer(status: number, body: string): void
  reset(): void
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

const methodOf = ({ method }: RequestInit): (typeof METHODS)[number] => METHODS.find((known) => known === method) ?? 'GET'

class SimSocket implements OpenSocket {
  readonly #parts: SimNetworkParts & { readonly url: string; readonly listener: SocketListener }
  readonly #frames = new FrameReader()
  readonly #tap: SocketTap
  #wire: Wire | undefined
  #open = false
  #over = false
  #closeCode = ABNORMAL

  constructor(parts: SimNetworkParts & { readonly url: string; readonly listener: SocketListener }) {
    this.#parts = parts
    this.#tap = parts.tap.socket()
    const { loop, process, cable } = parts
    if (cable.known) loop.soon(() => this.#end(), process)
    else this.#knock(0)
    process.onEnd(() => this.#wire?.reset())
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#over || !this.#parts.process.alive) return
    this.#tap.sent(bytes)
    this.#wire?.send(maskedFrame({ opcode: OPCODE.binary, payload: bytes }))
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#tap.ended()
    this.#wire?.hangUp()
  }

  #delay(): number {
    return this.#parts.dice.between(...this.#parts.cable.road.delay)
  }

  /** Until the road lets it through. */
  #knock(times: number): void {
    const { loop, cable, process } = this.#parts
    if (this.#over) return
    if (!cable.road.cut) return void loop.after(this.#delay(), () => this.#arrive(), process)
    repeated({ loop, process, times }, () => this.#knock(times + 1))
  }

  #arrive(): void {
    const { loop, dice, cable, process, url } = this.#parts
    const server = this.#parts.server()
    if (this.#over) return
    if (!server) return this.#end()
    const wire = new Wire({
      loop,
      dice,
      road: cable.road,
      device: process,
      server: server.process,
      heard: (bytes) => this.#heard(bytes),
      ended: () => this.#end(),
    })
    this.#wire = wire
    cable.wires.add(wire)
    server.process.onEnd(() => wire.reset())
    const { host, pathname } = new URL(url)
    loop.within(server.process, () => {
      const request = upgradeRequest({ host, pathname })
      server.house.http.server.emit('upgrade', request, wire.serverEnd, Buffer.alloc(0))
    })
  }

  #heard(bytes: Uint8Array): void {
    if (this.#over) return
    const { status, frames } = this.#frames.take(bytes)
    if (status === 101) {
      this.#open = true
      this.#parts.listener.opened()
    } else if (status !== undefined) return this.#end()
    for (const frame of frames) this.#take(frame)
  }

  #take({ opcode, payload }: Frame): void {
    if (this.#over) return
    if (opcode === OPCODE.ping) this.#wire?.send(maskedFrame({ opcode: OPCODE.pong, payload }))
    else if (opcode === OPCODE.binary) {
      const seen = this.#tap.received(payload)
      if (seen) this.#parts.listener.received(seen)
    } else if (opcode === OPCODE.close) {
      this.#closeCode = payload.length >= 2 ? Buffer.from(payload).readUInt16BE(0) : NO_STATUS
      this.#wire?.send(maskedFrame({ opcode: OPCODE.close, payload: payload.slice(0, 2) }))
      this.#end()
    }
  }

  #end(): void {
    if (this.#over) return
    this.close()
    this.#parts.listener.closed(this.#open ? this.#closeCode : ABNORMAL)
  }
}

function upgradeRequest({ host, pathname }: { host: string; pathname: string }): IncomingMessage {
  // Only its remote address is looked at, and it has none.
  const request = new IncomingMessage(new Socket())
  request.method = 'GET'
  request.url = pathname
  Object.assign(request.headers, {
    host,
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'c2ltdWxhdGVkLWRldmljZQ==',
    'sec-websocket-protocol': SUBPROTOCOL,
  })
  return request
}
