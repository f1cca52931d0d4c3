/**
 * One socket from its opening to its end: frames in and out, answers matched to commands by their number. It never tries
 * again; that is the connection's business.
 */
import {
  CborError,
  decodeFromServer,
  decodeResult,
  encodeCommand,
  limits,
  Refusal,
  type AnswerFrame,
  type BodyOf,
  type CborValue,
  type CommandName,
  type EventFrame,
  type ResultOf,
} from '@tacit/contract'
import type { Clock, OpenSocket } from '../surroundings.ts'
import { Unreachable } from '../trouble.ts'

/** A command without an answer for so long means that nobody is there, in milliseconds. */
const PATIENCE = 10_000

/** More unanswered commands than any honest device has. */
const MOST_WAITING = 1024

interface Waiting {
  accept(result: CborValue): void
  fail(error: Error): void
}

export class Channel {
  readonly #socket: OpenSocket
  readonly #clock: Clock
  readonly #event: (event: EventFrame) => void
  readonly #ended: () => void
  readonly #waiting = new Map<number, Waiting>()
  #lastRef = 0
  #closed = false
  /** When something came last, in milliseconds. */
  #heard: number

  constructor(parts: { socket: OpenSocket; clock: Clock; event: (event: EventFrame) => void; ended: () => void }) {
    this.#socket = parts.socket
    this.#clock = parts.clock
    this.#event = parts.event
    this.#ended = parts.ended
    this.#heard = parts.clock.now()
  }

  get heard(): number {
    return this.#heard
  }

  /** Rejects with `Refusal`, or with `Unreachable` when the socket ends or nothing is answered: then the outcome is unknown. */
  send<N extends CommandName>(name: N, body: BodyOf<N>): Promise<ResultOf<N>> {
    if (this.#closed || this.#waiting.size >= MOST_WAITING) return Promise.reject(new Unreachable('the socket is closed'))
    const ref = (this.#lastRef = (this.#lastRef + 1) % 0xffff_ffff)
    const frame = encodeCommand({ ref, name, body })
    if (frame.length > limits.frame) return Promise.reject(new Refusal('too_large'))
    return new Promise((resolve, reject) => {
      const stopWaiting = this.#clock.after(PATIENCE, () => this.#giveUp(new Unreachable('no answer in time')))
      const settle = (work: () => void) => {
        stopWaiting()
        this.#waiting.delete(ref)
        work()
      }
      this.#waiting.set(ref, {
        accept: (result) => settle(() => resolve(decodeResult(name, result))),
        fail: (error) => settle(() => reject(error)),
      })
      this.#socket.send(frame)
    })
  }

  /** Bytes from the server. */
  receive(bytes: Uint8Array): void {
    if (this.#closed) return
    this.#heard = this.#clock.now()
    try {
      const frame = decodeFromServer(bytes)
      if (frame.type === 'event') this.#event(frame)
      else if (frame.type !== 'unknown') this.#answer(frame)
    } catch (error) {
      this.#giveUp(new Unreachable('a frame that is not of the contract', { cause: error }))
    }
  }

  /** The socket has ended, or shall end. */
  close(): void {
    this.#giveUp(new Unreachable('the connection ended'))
  }

  #answer(frame: AnswerFrame): void {
    const waiting = this.#waiting.get(frame.ref)
    if (!waiting) throw new CborError('an answer to nothing')
    if (frame.type === 'accepted') waiting.accept(frame.result)
    else waiting.fail(new Refusal(frame.failure, frame.details))
  }

  #giveUp(error: Unreachable): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
    for (const waiting of this.#waiting.values()) waiting.fail(error)
    this.#ended()
  }
}
