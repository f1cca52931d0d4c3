/**
 * One connection between a device and the server, byte by byte: what goes one way arrives in order and late, or never. It
 * breaks with a word to both ends, or goes silent and both believe that it is there.
 */
import { Duplex } from 'node:stream'
import type { Dice } from './dice.ts'
import type { Loop, Process } from './loop.ts'

/** What the way between a device and the server is like now. */
export interface Road {
  /** Milliseconds a packet takes, at least and at most. */
  delay: readonly [number, number]
  /** One packet in so many gets lost, and the connection dies with it; 0 for none. */
  loseOnceIn: number
  /** Nothing gets through. */
  cut: boolean
}

export interface WireParts {
  readonly loop: Loop
  readonly dice: Dice
  readonly road: Road
  readonly device: Process
  readonly server: Process
  /** The device's end heard bytes, or that the connection ended. */
  readonly heard: (bytes: Uint8Array) => void
  readonly ended: () => void
}

/** Bytes on their way to a device; beyond it the server's writes wait. */
const WINDOW = 128 * 1024

export class Wire {
  readonly serverEnd: ServerEnd
  readonly #parts: WireParts
  #state: 'open' | 'silent' | 'broken' = 'open'
  #lastToDevice = 0
  #lastToServer = 0
  #onTheWay = 0

  constructor(parts: WireParts) {
    this.#parts = parts
    this.serverEnd = new ServerEnd(
      (bytes, taken) => this.#toDevice(bytes, taken),
      () => this.#serverEnded(),
    )
  }

  get isBroken(): boolean {
    return this.#state === 'broken'
  }

  /** The device sends. */
  send(bytes: Uint8Array): void {
    if (!this.#passes()) return
    const { loop, server } = this.#parts
    this.#lastToServer = this.#arrival(this.#lastToServer)
    loop.after(this.#lastToServer - loop.now(), () => this.#state === 'open' && void this.serverEnd.push(bytes), server)
  }

  /** The connection ends and both ends hear of it, as far as packets get through. */
  reset(): void {
    if (this.#state === 'broken') return
    if (this.#parts.road.cut) return void (this.#state = 'silent')
    this.#state = 'broken'
    this.#tellDevice()
    this.#tellServer()
  }

  /** From now on nothing arrives, and nobody hears of it (half-open). */
  silence(): void {
    if (this.#state === 'open') this.#state = 'silent'
  }

  /** What was silent is reset: a router has come back and knows nothing of this connection. */
  wake(): void {
    if (this.#state === 'silent') this.reset()
  }

  /** The device closes its end. */
  hangUp(): void {
    if (this.#state === 'broken') return
    if (this.#state === 'silent' || this.#parts.road.cut) return void (this.#state = 'silent')
    this.#state = 'broken'
    this.#tellServer()
  }

  #toDevice(bytes: Uint8Array, taken: () => void): void {
    const { loop, server, device } = this.#parts
    const wait = this.#onTheWay > WINDOW
    this.#onTheWay += bytes.length
    const arrived = (): void => {
      this.#onTheWay -= bytes.length
      if (wait) loop.soon(taken, server)
    }
    if (!wait) taken()
    // Of what is not taken any more the server sees only that its window stays full.
    if (!this.#passes()) return
    this.#lastToDevice = this.#arrival(this.#lastToDevice)
    const copy = bytes.slice()
    const arrive = (): void => {
      arrived()
      if (this.#state === 'open') this.#parts.heard(copy)
    }
    loop.after(this.#lastToDevice - loop.now(), arrive, device)
  }

  #passes(): boolean {
    if (this.#state !== 'open') return false
    const { dice, road } = this.#parts
    if (road.cut) return false
    if (road.loseOnceIn === 0 || !dice.onceIn(road.loseOnceIn)) return true
    this.reset()
    return false
  }

  #arrival(last: number): number {
    const { loop, dice, road } = this.#parts
    return Math.max(last, loop.now() + dice.between(...road.delay))
  }

  #serverEnded(): void {
    if (this.#state !== 'open') return
    // What was sent before arrives first.
    const { loop, device } = this.#parts
    loop.after(this.#arrival(this.#lastToDevice) - loop.now(), () => this.#endOnDevice(), device)
  }

  #endOnDevice(): void {
    if (this.#state !== 'open') return
    this.#state = 'broken'
    this.#parts.ended()
  }

  #tellDevice(): void {
    const { loop, device, ended } = this.#parts
    loop.after(this.#arrival(0) - loop.now(), ended, device)
  }

  #tellServer(): void {
    const { loop, server } = this.#parts
    loop.after(this.#arrival(0) - loop.now(), () => this.serverEnd.destroy(), server)
  }
}

/** What the server's WebSocket reads from and writes to. */
export class ServerEnd extends Duplex {
  readonly #write: (bytes: Uint8Array, taken: () => void) => void
  readonly #ended: () => void

  constructor(write: (bytes: Uint8Array, taken: () => void) => void, ended: () => void) {
    super({ allowHalfOpen: false })
    this.#write = write
    this.#ended = ended
  }

  override _read(): void {
    // Bytes come when they arrive.
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.#write(chunk, done)
  }

  override _destroy(_error: Error | null, done: (error?: Error | null) => void): void {
    this.#ended()
    done(null)
  }
}
