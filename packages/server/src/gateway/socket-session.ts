/**
 * What happens to the frames of a socket: the first must be a good `hello`, then commands are dispatched to the rooms and
 * answered one by one. A frame that cannot be read is refused by its number, or ends the socket if it has none.
 */
import {
  CONTRACT_VERSION,
  decodeCommand,
  encodeAccepted,
  encodeRefused,
  OLDEST_CONTRACT,
  Refusal,
  type AccountId,
  type BodyOf,
  type CommandFrame,
  type DeviceId,
  type ResultOf,
  type SessionId,
} from '@tacit/contract'
import type { Clock } from '../clock.ts'
import { faultFields, type Log } from '../log.ts'
import type { Lines } from './lines.ts'
import { COME_BACK_AFTER, type LoopLag } from '../loop-lag.ts'
import { refusalFor } from './problem.ts'
import type { CommandCall, CommandTable, RoomCommand } from './socket-commands.ts'
import type { SocketLimits } from './socket-limits.ts'
import { DeviceLine, type Identity, type SocketLine } from './socket-line.ts'

/** Who an access token speaks for; `expiresAt` in milliseconds. */
export interface TokenOwner {
  readonly account: AccountId
  readonly session: SessionId
  readonly device: DeviceId | null
  readonly expiresAt: number
}

export interface SocketSessionDeps {
  readonly clock: Clock
  readonly log: Log
  readonly limits: SocketLimits
  readonly lines: Lines
  readonly commands: CommandTable
  readonly lag: Pick<LoopLag, 'shedding'>
  authenticate(accessToken: string): Promise<TokenOwner | undefined>
  /** The number of a socket that the device opens: higher than those before, at whichever server. */
  openLine(device: DeviceId): Promise<number>
  /** The socket has said a good hello. */
  opened(socket: SocketLine): void
}

/** What makes room, or is how a device finds its place again: also taken while work is shed. */
const frees: ReadonlySet<RoomCommand> = new Set(['delivery.acknowledge', 'conversations.acknowledgeWelcomes', 'delivery.resume'])

/** Frames that may wait while a token is being checked. */
const BACKLOG = 32

type OfDevice<Owner> = Owner & { readonly device: DeviceId }
type Known = TokenOwner & { readonly number: number }
type LookedUp<Owner = TokenOwner> = Owner | undefined | 'fault'
type Opening = Exclude<Identity, { kind: 'open' }>
type Open = Extract<Identity, { kind: 'open' }>

export class SocketSession {
  readonly #deps: SocketSessionDeps
  /** Per look-up of a token that is under way: the sessions that ended meanwhile. */
  readonly #endedMeanwhile = new Set<Set<SessionId>>()

  constructor(deps: SocketSessionDeps) {
    this.#deps = deps
  }

  /** The session ended. Sockets that are open are the gateway's to close; what is being looked up may have been read before. */
  revoked(session: SessionId): void {
    for (const ended of this.#endedMeanwhile) ended.add(session)
  }

  /** One binary frame, within its socket's budget. */
  take(socket: SocketLine, bytes: Uint8Array): void {
    const { identity } = socket
    if (identity.kind === 'checking') return this.#keepForLater(socket, identity.backlog, bytes)
    const frame = decodeCommand(bytes)
    if (frame.type === 'unreadable') {
      if (frame.ref === undefined) return socket.close('malformed')
      return refuse(socket, frame.ref, new Refusal(frame.failure))
    }
    if (identity.kind === 'opening') return this.#first(socket, identity, frame)
    if (frame.name === 'connection.hello') return refuse(socket, frame.ref, new Refusal('malformed'))
    if (frame.name === 'connection.renew') return void this.#renew(socket, identity, frame)
    this.#dispatch(socket, identity.line, frame)
  }

  #keepForLater(socket: SocketLine, backlog: Uint8Array[], bytes: Uint8Array): void {
    if (backlog.push(bytes) > BACKLOG) socket.close('flooding')
  }

  #first(socket: SocketLine, identity: Opening, frame: CommandFrame): void {
    if (frame.name === 'connection.hello') return void this.#hello(socket, identity, frame)
    refuse(socket, frame.ref, new Refusal('unauthenticated'))
    socket.close('unauthenticated')
  }

  async #hello(socket: SocketLine, { since }: Opening, { ref, body }: { ref: number; body: BodyOf<'connection.hello'> }): Promise<void> {
    if (body.contract < OLDEST_CONTRACT) return turnAway(socket, ref, 'client_too_old', 'clientTooOld')
    const backlog: Uint8Array[] = []
    socket.identity = { kind: 'checking', since, backlog }
    const greet = (): Promise<Known | undefined> => this.#greet(body.accessToken)
    await this.#lookUp(greet, (found) => {
      const owner = this.#goodOwner(socket, ref, found)
      if (!owner) return
      const { account, device } = owner
      if (this.#deps.lines.ofAccount(account).size >= this.#deps.limits.perAccount) {
        return turnAway(socket, ref, 'rate_limited', 'flooding')
      }
      this.#open(socket, owner)
      const contract = Math.min(CONTRACT_VERSION, body.contract)
      const result = { account, device, contract, time: this.#deps.clock.now(), expiresIn: this.#expiresIn(owner) }
      socket.send(encodeAccepted({ ref, name: 'connection.hello', result }))
      for (const bytes of backlog) if (!socket.closing) this.take(socket, bytes)
    })
  }

  #open(socket: SocketLine, { account, device, session, expiresAt, number }: OfDevice<Known>): void {
    const line = new DeviceLine(socket, { account, device, number })
    socket.identity = { kind: 'open', line, session, expiresAt, noticed: false }
    this.#deps.lines.add(line)?.close('replaced')
    this.#deps.opened(socket)
  }

  /** A token of the same device only: a socket never changes its owner. */
  async #renew(socket: SocketLine, open: Open, { ref, body }: { ref: number; body: BodyOf<'connection.renew'> }): Promise<void> {
    const know = (): Promise<TokenOwner | undefined> => this.#deps.authenticate(body.accessToken)
    await this.#lookUp(know, (found) => {
      const owner = this.#goodOwner(socket, ref, found)
      if (!owner) return
      if (owner.device !== open.line.device || owner.account !== open.line.account)
        return turnAway(socket, ref, 'unauthenticated', 'forbidden')
      socket.identity = { ...open, session: owner.session, expiresAt: owner.expiresAt, noticed: false }
      socket.send(encodeAccepted({ ref, name: 'connection.renew', result: { expiresIn: this.#expiresIn(owner) } }))
    })
  }

  /** Turns the socket away unless the token is good and bound to a device. */
  #goodOwner<Owner extends TokenOwner>(socket: SocketLine, ref: number, owner: LookedUp<Owner>): OfDevice<Owner> | undefined {
    if (socket.closing) return undefined
    if (owner === 'fault') turnAway(socket, ref, 'unavailable', 'shuttingDown')
    else if (!owner || owner.expiresAt <= this.#deps.clock.now()) turnAway(socket, ref, 'unauthenticated', 'unauthenticated')
    else if (owner.device === null) turnAway(socket, ref, 'device_needed', 'forbidden')
    else return { ...owner, device: owner.device }
    return undefined
  }

  /**
   * Whom a token speaks for. `use` must take hold of the socket in the same turn: a session that ends before that is known
   * here, one that ends after it finds the socket open.
   */
  async #lookUp<Owner extends TokenOwner>(ask: () => Promise<Owner | undefined>, use: (owner: LookedUp<Owner>) => void): Promise<void> {
    const ended = new Set<SessionId>()
    this.#endedMeanwhile.add(ended)
    try {
      const owner = await this.#orFault(ask)
      use(owner && owner !== 'fault' && ended.has(owner.session) ? undefined : owner)
    } finally {
      this.#endedMeanwhile.delete(ended)
    }
  }

  async #greet(accessToken: string): Promise<Known | undefined> {
    const owner = await this.#deps.authenticate(accessToken)
    return owner && { ...owner, number: owner.device === null ? 0 : await this.#deps.openLine(owner.device) }
  }

  async #orFault<Owner>(ask: () => Promise<Owner | undefined>): Promise<LookedUp<Owner>> {
    try {
      return await ask()
    } catch (error) {
      this.#deps.log('fault', { where: 'connection.hello', ...faultFields(error) })
      return 'fault'
    }
  }

  #expiresIn({ expiresAt }: TokenOwner): number {
    return Math.max(0, Math.floor((expiresAt - this.#deps.clock.now()) / 1000))
  }

  /** Not async: thousands of messages wait for a commit at a time, and this is what they hold meanwhile. */
  #dispatch<N extends RoomCommand>(socket: SocketLine, line: DeviceLine, { ref, name, body }: CommandOf<N>): void {
    this.#begin(socket)
    const refused = (error: unknown): void => {
      refuse(socket, ref, this.#refusalOf(name, error))
      this.#end(socket)
    }
    const accepted = (result: ResultOf<N>): void => {
      try {
        socket.send(encodeAccepted<N>({ ref, name, result }))
      } catch (error) {
        return refused(error)
      }
      this.#end(socket)
    }
    try {
      this.#carryOut<N>(name, { line, body, now: socket.heardAt }).then(accepted, refused)
    } catch (error) {
      refused(error)
    }
  }

  #carryOut<N extends RoomCommand>(name: N, call: CommandCall<N>): Promise<ResultOf<N>> {
    if (this.#deps.lag.shedding === 'work' && !frees.has(name)) throw new Refusal('unavailable', { retryAfter: COME_BACK_AFTER })
    return this.#deps.commands.handlers[name](call)
  }

  /** Reading pauses while many commands of a socket wait for the disk: the network then slows its sender. */
  #begin(socket: SocketLine): void {
    socket.inFlight += 1
    if (socket.inFlight === this.#deps.limits.inFlight) socket.hold('answers')
  }

  #end(socket: SocketLine): void {
    socket.inFlight -= 1
    if (socket.inFlight === this.#deps.limits.inFlight - 1) socket.release('answers')
  }

  #refusalOf(where: RoomCommand, error: unknown): Refusal {
    const refusal = refusalFor(error)
    if (!refusal) this.#deps.log('fault', { where, ...faultFields(error) })
    return refusal ?? new Refusal('internal')
  }
}

interface CommandOf<N extends RoomCommand> {
  readonly ref: number
  readonly name: N
  readonly body: BodyOf<N>
}

export function refuse(socket: SocketLine, ref: number, { failure, details }: Refusal): void {
  socket.send(encodeRefused({ ref, failure, details }))
  if (failure === 'rate_limited') socket.rest()
}

function turnAway(socket: SocketLine, ref: number, failure: Refusal['failure'], reason: Parameters<SocketLine['close']>[0]): void {
  refuse(socket, ref, new Refusal(failure))
  socket.close(reason)
}
