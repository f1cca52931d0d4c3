/**
 * The connection's state machine: one socket at a time, opened again with back-off and jitter for as long as it is wanted,
 * authenticated by its first frame and renewed in place. It knows no room: events go to whoever listens, in order.
 *
 *   offline -> connecting -> catching_up -> online        closed or silent: -> waiting -> connecting
 *
 * `online` begins when the listener has dealt with everything that the server sent before `caught_up`.
 */
import {
  closeCodes,
  CONTRACT_VERSION,
  Refusal,
  SOCKET_PATH,
  SUBPROTOCOL,
  type BodyOf,
  type CommandName,
  type EventFrame,
  type EventOf,
  type ResultOf,
} from '@tacit/contract'
import type { Reach } from '../api.ts'
import { LiveValue } from '../live.ts'
import type { Clock, Surroundings } from '../surroundings.ts'
import { backOff, Unreachable } from '../trouble.ts'
import { Channel } from './channel.ts'
import { EventQueue } from './event-queue.ts'
import type { Session } from './session.ts'

export interface ConnectionParts {
  readonly url: string
  readonly surroundings: Surroundings
  readonly session: Session
  /** Where this device stands, for `resume`. */
  readonly cursors: () => Promise<BodyOf<'delivery.resume'>['cursors']>
  /** Deals with an event; the next one waits until this one is done. Rejecting ends the socket. */
  readonly handle: (event: EventFrame) => Promise<void>
}

/** Ask whether the server is there after so much silence; also the longest wait for a socket to open. Milliseconds. */
const SILENCE = 25_000

/** After another process took this device's place, do not fight for it, in milliseconds. */
const REPLACED_PAUSE = 30_000

/** RFC 6455 section 7.4.1: closed without a close frame. */
const ABNORMAL = 1006

export class Connection {
  readonly state = new LiveValue<Reach>({ kind: 'offline' })
  readonly #parts: ConnectionParts
  #attempt: Attempt | undefined
  #wanted = false
  #failures = 0
  /** When the first of these failures was. */
  #troubledAt = 0
  #stopWaiting = () => {}
  #stopHints = () => {}

  constructor(parts: ConnectionParts) {
    this.#parts = parts
  }

  /** Wants to be online from now on. */
  start(): void {
    if (this.#wanted) return
    this.#wanted = true
    this.#stopHints = this.#parts.surroundings.network.onHint(() => this.#hinted())
    this.#hinted()
  }

  /** Wants to be offline. */
  stop(): void {
    this.#wanted = false
    this.#stopHints()
    this.#rest()
  }

  get isOnline(): boolean {
    return this.state.get().kind === 'online'
  }

  /** Rejects with `Refusal` or `Unreachable`. */
  send<N extends CommandName>(name: N, body: BodyOf<N>): Promise<ResultOf<N>> {
    return this.#attempt?.channel?.send(name, body) ?? Promise.reject(new Unreachable('not connected'))
  }

  #hinted(): void {
    if (!this.#wanted) return
    if (!this.#parts.surroundings.network.isOnline()) return this.#rest()
    if (this.#attempt) return
    this.#failures = 0
    this.#connect()
  }

  #rest(): void {
    this.#stopWaiting()
    this.#attempt?.end()
    this.#attempt = undefined
    this.state.set({ kind: 'offline' })
  }

  #connect(): void {
    this.#stopWaiting()
    const attempt = new Attempt(this.#parts.surroundings.clock)
    this.#attempt = attempt
    this.state.set({ kind: 'connecting' })
    this.#parts.session.accessToken().then(
      (token) => this.#isCurrent(attempt) && this.#open(attempt, token),
      (error: unknown) => this.#refusedToken(attempt, error),
    )
  }

  #open(attempt: Attempt, accessToken: string): void {
    const { surroundings, url } = this.#parts
    const lost = (code: number) => this.#lost(attempt, { code })
    const queue = new EventQueue({ deal: (event) => this.#deal(attempt, event), broken: lost })
    const socket = surroundings.network.openSocket({
      url: url.replace(/^http/, 'ws') + SOCKET_PATH,
      protocol: SUBPROTOCOL,
      listener: {
        opened: () => void this.#greet(attempt, accessToken),
        received: (bytes) => attempt.channel?.receive(bytes),
        closed: lost,
      },
    })
    const ended = () => lost(ABNORMAL)
    attempt.begin(new Channel({ socket, clock: surroundings.clock, event: (event) => queue.add(event), ended }), queue)
    attempt.later(SILENCE, () => this.state.get().kind === 'connecting' && lost(ABNORMAL))
  }

  async #greet(attempt: Attempt, accessToken: string): Promise<void> {
    try {
      const hello = await this.send('connection.hello', { accessToken, contract: CONTRACT_VERSION })
      if (!this.#isCurrent(attempt)) return
      this.state.set({ kind: 'catching_up' })
      this.#renewBefore(attempt, hello.expiresIn)
      this.#watchSilence(attempt)
      const cursors = await this.#parts.cursors()
      if (this.#isCurrent(attempt)) await this.send('delivery.resume', { cursors })
    } catch (error) {
      const tooOld = error instanceof Refusal && error.failure === 'client_too_old'
      const code = error instanceof Refusal ? closeCodes.unauthenticated : ABNORMAL
      this.#lost(attempt, { code: tooOld ? closeCodes.clientTooOld : code })
    }
  }

  async #deal(attempt: Attempt, event: EventFrame): Promise<void> {
    if (event.name === 'connection.ending') this.#ending(attempt, event.body)
    await this.#parts.handle(event)
    if (event.name !== 'delivery.caughtUp' || !this.#isCurrent(attempt)) return
    this.#failures = 0
    this.state.set({ kind: 'online' })
  }

  #ending(attempt: Attempt, { reason, seconds }: EventOf<'connection.ending'>): void {
    if (reason === 'expiring') void this.#renewInPlace(attempt)
    // Whether we are really out is for the renewal to say, over HTTP.
    else if (reason === 'revoked') this.#lost(attempt, { code: closeCodes.unauthenticated })
    else this.#lost(attempt, { code: closeCodes.shuttingDown, pause: seconds * 1000 })
  }

  #renewBefore(attempt: Attempt, expiresIn: number): void {
    attempt.later(Math.max(1000, (expiresIn - 45) * 1000), () => void this.#renewInPlace(attempt))
  }

  async #renewInPlace(attempt: Attempt): Promise<void> {
    try {
      const accessToken = await this.#parts.session.renew()
      if (!this.#isCurrent(attempt)) return
      const { expiresIn } = await this.send('connection.renew', { accessToken })
      this.#renewBefore(attempt, expiresIn)
    } catch (error) {
      // Weather is no reason to do anything: the socket ends with its token, and the next one begins with a new one.
      if (isOver(error) && this.#isCurrent(attempt)) this.stop()
    }
  }

  /** Browsers cannot send pings, so an acknowledgement of nothing asks whether somebody is there. */
  #watchSilence(attempt: Attempt): void {
    attempt.later(SILENCE, () => {
      const silent = this.#parts.surroundings.clock.now() - (attempt.channel?.heard ?? 0) >= SILENCE
      const asked = silent ? this.send('delivery.acknowledge', { cursors: [] }) : Promise.resolve()
      asked.then(
        () => this.#watchSilence(attempt),
        // Whoever refuses is there. Where nobody answers, the channel has ended the attempt.
        (error: unknown) => error instanceof Refusal && this.#watchSilence(attempt),
      )
    })
  }

  #lost(attempt: Attempt, { code, pause = 0 }: { code: number; pause?: number }): void {
    if (!this.#isCurrent(attempt)) return
    this.#attempt = undefined
    attempt.end()
    if (code === closeCodes.clientTooOld) this.stop()
    else if (code === closeCodes.unauthenticated) void this.#renewThenConnect()
    else this.#wait(code === closeCodes.replaced ? REPLACED_PAUSE : pause)
  }

  async #renewThenConnect(): Promise<void> {
    const attempt = new Attempt(this.#parts.surroundings.clock)
    this.#attempt = attempt
    this.state.set({ kind: 'connecting' })
    try {
      await this.#parts.session.renew()
      this.#lost(attempt, { code: ABNORMAL })
    } catch (error) {
      this.#refusedToken(attempt, error)
    }
  }

  #refusedToken(attempt: Attempt, error: unknown): void {
    if (!this.#isCurrent(attempt)) return
    if (isOver(error)) this.stop()
    else this.#lost(attempt, { code: ABNORMAL })
  }

  #wait(atLeast: number): void {
    const { clock, random, network } = this.#parts.surroundings
    if (!network.isOnline()) return this.#rest()
    if (this.#failures === 0) this.#troubledAt = clock.now()
    const since = clock.now() - this.#troubledAt
    const delay = atLeast + backOff({ attempt: this.#failures++, fraction: random.fraction(), since })
    this.state.set({ kind: 'waiting', until: clock.now() + delay })
    this.#stopWaiting = clock.after(delay, () => this.#connect())
  }

  #isCurrent(attempt: Attempt): boolean {
    return this.#wanted && this.#attempt === attempt
  }
}

const isOver = (error: unknown): boolean => error instanceof Refusal && error.failure === 'session_ended'

/** One try to be online, with everything that ends when it ends. */
class Attempt {
  readonly #clock: Clock
  readonly #timers = new Set<() => void>()
  #channel: Channel | undefined
  #queue: EventQueue | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get channel(): Channel | undefined {
    return this.#channel
  }

  begin(channel: Channel, queue: EventQueue): void {
    this.#channel = channel
    this.#queue = queue
  }

  later(delay: number, work: () => void): void {
    const stop = this.#clock.after(delay, () => {
      this.#timers.delete(stop)
      work()
    })
    this.#timers.add(stop)
  }

  end(): void {
    for (const stop of this.#timers) stop()
    this.#timers.clear()
    this.#queue?.stop()
    this.#channel?.close()
  }
}
