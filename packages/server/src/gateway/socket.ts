/**
 * The socket's door: admits upgrade requests, keeps the budgets of frames, and looks after all open sockets with one sweep:
 * hello in time, tokens that end, silence, readers that are too slow. What frames mean is in socket-session.ts.
 */
import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  decodeCommand,
  failures,
  limits as sizes,
  Refusal,
  SUBPROTOCOL,
  type AccountId,
  type DeviceId,
  type SessionId,
} from '@tacit/contract'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import type { Bus } from '../bus/bus.ts'
import type { Turns } from '../conversations/turns.ts'
import type { Delivery } from '../delivery/delivery.ts'
import { COME_BACK_AFTER } from '../loop-lag.ts'
import type { Presence } from '../presence/presence.ts'
import type { Random } from '../random.ts'
import { PROBLEM_TYPE, problemOf } from './problem.ts'
import { SocketAdmission, type SocketAdmissionDeps } from './socket-admission.ts'
import { SocketLine, Turn, type DeviceLine, type SocketSurroundings } from './socket-line.ts'
import { refuse, SocketSession, type SocketSessionDeps } from './socket-session.ts'
import { TokenBuckets } from './token-bucket.ts'

export interface SocketGatewayDeps extends Omit<SocketSessionDeps, 'opened'>, SocketAdmissionDeps {
  readonly bus: Bus
  /** Milliseconds that pass, whatever the clock says. */
  elapsed(): number
  /** The number of the newest socket of each device, at whichever server. */
  newestLines(devices: readonly DeviceId[]): Promise<ReadonlyMap<DeviceId, number>>
  /** Hears why it could not be looked after sockets of other servers. */
  onFault(error: unknown): void
  readonly random: Random
  readonly delivery: Pick<Delivery, 'wake' | 'close' | 'settled'>
  readonly presence: Pick<Presence, 'left' | 'sweep'>
  readonly turns: Pick<Turns, 'sweep'>
}

interface SharedListeners {
  message(this: WebSocket, data: RawData, isBinary: boolean): void
  ping(this: WebSocket, data: Buffer): void
  pong(this: WebSocket): void
  close(this: WebSocket): void
}

const SWEEP_EVERY = 1000

/** Bytes of a frame that cost as much as a frame. */
const FRAME_UNIT = 4096

/** Devices that are looked up with one query. */
const LINES_PER_LOOK = 10_000

/** RFC 6455 section 7.4.1. */
const UNSUPPORTED_DATA = 1003

export class SocketGateway {
  readonly #deps: SocketGatewayDeps
  readonly #admission: SocketAdmission
  readonly #session: SocketSession
  readonly #frames: TokenBuckets<SocketLine | DeviceId>
  readonly #bytes: TokenBuckets<AccountId>
  readonly #sockets = new Set<SocketLine>()
  readonly #websockets: WebSocketServer
  readonly #lineOf = new WeakMap<WebSocket, SocketLine>()
  readonly #surroundings: SocketSurroundings
  readonly #listeners: SharedListeners
  #timer: NodeJS.Timeout | undefined
  #closing = false
  #onEmpty: () => void = ignore

  constructor(deps: SocketGatewayDeps) {
    this.#deps = deps
    this.#admission = new SocketAdmission(deps)
    this.#session = new SocketSession({
      ...deps,
      authenticate: (token) => deps.authenticate(token),
      openLine: (device) => deps.openLine(device),
      opened: (socket) => this.#opened(socket),
    })
    deps.bus.listen('session_ended', ({ session }) => this.revoke(session))
    deps.bus.listen('line_opened', ({ device, line }) => this.#openedSomewhere(device, line))
    this.#frames = new TokenBuckets(deps.limits.frames)
    this.#bytes = new TokenBuckets(deps.limits.bytes)
    this.#websockets = new WebSocketServer(serverOptions(deps.limits))
    this.#surroundings = {
      clock: deps.clock,
      limits: deps.limits,
      turn: new Turn(() => deps.elapsed()),
      drained: (line) => this.#drained(line),
    }
    this.#listeners = this.#sharedListeners()
  }

  /** Takes the upgrade requests of a server and starts the sweep. */
  attach(server: Server): void {
    server.on('upgrade', (request, duplex, head) => this.#upgrade(request, duplex, head))
    this.#timer = setInterval(() => this.sweep(this.#deps.clock.now()), SWEEP_EVERY).unref()
  }

  /** Sockets that are open, also those without a hello yet. */
  get size(): number {
    return this.#sockets.size
  }

  /** Those of them whose reader leaves so much unread that nothing more is given to it. */
  get slow(): number {
    return [...this.#sockets].filter(({ congestedSince, closing }) => congestedSince > 0 && !closing).length
  }

  /** The session ended: its sockets end with it. */
  revoke(session: SessionId): void {
    this.#session.revoked(session)
    for (const { socket } of this.#deps.lines.all()) {
      if (socket.identity.kind !== 'open' || socket.identity.session !== session) continue
      socket.announceEnd('revoked', 0)
      socket.close('unauthenticated')
    }
  }

  /** Ends sockets of devices that have a newer one, wherever that is. */
  async reread(): Promise<void> {
    const lines = [...this.#deps.lines.all()]
    for (let at = 0; at < lines.length; at += LINES_PER_LOOK) await this.#endReplaced(lines.slice(at, at + LINES_PER_LOOK))
  }

  /** Ends all sockets; their devices come back. */
  endAll(): void {
    for (const socket of this.#sockets) socket.close('shuttingDown')
  }

  /** Everything that has to do with time. `now` in milliseconds. */
  sweep(now: number): void {
    for (const socket of this.#sockets) this.#look(socket, now)
    this.#admission.prune(now)
    this.#frames.prune(now)
    this.#bytes.prune(now)
    this.#deps.commands.prune(now)
    this.#deps.presence.sweep(now)
    this.#deps.turns.sweep(now)
  }

  /** Tells everybody, finishes what is under way, closes. Resolves when no socket is left, at the latest after `within` milliseconds. */
  async close(within: number): Promise<void> {
    this.#closing = true
    for (const socket of this.#sockets) {
      socket.hold('stop')
      socket.announceEnd('draining', 0)
    }
    await this.#deps.delivery.settled()
    for (const socket of this.#sockets) {
      socket.close('shuttingDown')
      // A socket that does not read would never see the other side's closing frame.
      socket.release('stop')
    }
    await this.#emptied(within)
    clearInterval(this.#timer)
    for (const socket of this.#sockets) socket.terminate()
    this.#websockets.close()
  }

  #emptied(within: number): Promise<void> {
    if (this.#sockets.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, within)
      this.#onEmpty = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** A newer socket elsewhere may have been opened before this one could be found: hence the look. */
  #opened({ address, identity }: SocketLine): void {
    this.#admission.opened(address)
    if (identity.kind !== 'open' || identity.line.number === 0) return
    const { device, number: line } = identity.line
    this.#deps.bus.ring({ kind: 'line_opened', device, line })
    this.#endReplaced([identity.line]).catch((error: unknown) => this.#deps.onFault(error))
  }

  #openedSomewhere(device: DeviceId, number: number): void {
    const line = this.#deps.lines.ofDevice(device)
    if (line && line.number < number) this.#endReplaced([line]).catch((error: unknown) => this.#deps.onFault(error))
  }

  async #endReplaced(lines: readonly DeviceLine[]): Promise<void> {
    const newest = await this.#deps.newestLines(lines.map(({ device }) => device))
    for (const line of lines) if (line.number < (newest.get(line.device) ?? 0)) line.close('replaced')
  }

  #upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    // A peer that resets during the handshake must not end the process.
    duplex.on('error', ignore)
    if (this.#closing) return this.#refuseUpgrade(duplex, new Refusal('unavailable', { retryAfter: 1 }))
    if (this.#deps.lag.shedding !== 'nothing')
      return this.#refuseUpgrade(duplex, new Refusal('unavailable', { retryAfter: COME_BACK_AFTER }))
    const now = this.#deps.clock.now()
    const admission = this.#admission.judge(request, now)
    if (admission.kind === 'refuse') {
      const { failure, retryAfter } = admission
      return this.#refuseUpgrade(duplex, new Refusal(failure, retryAfter === undefined ? {} : { retryAfter }))
    }
    const { address } = admission
    let opened = false
    this.#websockets.handleUpgrade(request, duplex, head, (socket) => {
      opened = true
      this.#begin(socket, new SocketLine({ socket, duplex, address, now }, this.#surroundings))
    })
    if (!opened) this.#admission.left(address, { opened: false })
  }

  #begin(socket: WebSocket, line: SocketLine): void {
    this.#lineOf.set(socket, line)
    this.#sockets.add(line)
    socket.on('message', this.#listeners.message)
    socket.on('ping', this.#listeners.ping)
    socket.on('pong', this.#listeners.pong)
    socket.on('close', this.#listeners.close)
    // A peer that breaks the protocol: ws closes the socket with the fitting code.
    socket.on('error', ignore)
  }

  /** One listener of each kind for all sockets: closures per socket would cost more than the rest of an idle one. */
  #sharedListeners(): SharedListeners {
    const lines = this.#lineOf
    const heard = (line: SocketLine, data: RawData, isBinary: boolean): void => this.#heard(line, data, isBinary)
    const spend = (line: SocketLine): boolean => this.#spendControl(line)
    const gone = (line: SocketLine): void => this.#gone(line)
    return {
      message(data, isBinary) {
        const line = lines.get(this)
        if (line) heard(line, data, isBinary)
      },
      ping(data) {
        const line = lines.get(this)
        if (line && spend(line)) line.pong(data)
      },
      pong() {
        const line = lines.get(this)
        if (line) spend(line)
      },
      close() {
        const line = lines.get(this)
        if (line) gone(line)
      },
    }
  }

  #heard(line: SocketLine, data: RawData, isBinary: boolean): void {
    const bytes = Buffer.isBuffer(data) ? data.length : 0
    if (line.closing) return line.ignore(bytes)
    const now = this.#deps.clock.now()
    if (line.heard(bytes, now)) this.#letOthersGo(line)
    if (!isBinary || !Buffer.isBuffer(data)) return line.closeWith(UNSUPPORTED_DATA)
    if (line.identity.kind === 'open') this.#charge(line, { account: line.identity.line.account, bytes, now })
    const wait = this.#frames.take(spender(line), now, 1 + Math.floor(data.length / FRAME_UNIT))
    if (wait > 0) return this.#strike(line, { data, wait })
    this.#session.take(line, data)
  }

  /** Somebody who brings much with one device may have as much under way with all the others. */
  #letOthersGo(line: SocketLine): void {
    line.letOthersGo()
    if (line.identity.kind !== 'open') return
    for (const { socket } of this.#deps.lines.ofAccount(line.identity.line.account)) socket.letOthersGo()
  }

  /** What this socket brings next waits for as long as its account has brought too much, with whatever device. */
  #charge(line: SocketLine, { account, bytes, now }: { account: AccountId; bytes: number; now: number }): void {
    const wait = this.#bytes.charge(account, bytes, now)
    if (wait > 0) line.waitForBytes(wait)
  }

  /** Returns whether the control frame was within the budget. */
  #spendControl(line: SocketLine): boolean {
    line.heardAt = this.#deps.clock.now()
    const wait = this.#frames.take(spender(line), line.heardAt)
    if (wait > 0) this.#strike(line, { wait })
    return wait === 0
  }

  #strike(line: SocketLine, { data, wait }: { data?: Buffer; wait: number }): void {
    line.strikes += 1
    if (line.strikes > this.#deps.limits.strikes) return line.close('flooding')
    const frame = data && decodeCommand(data)
    if (frame?.ref !== undefined) refuse(line, frame.ref, new Refusal('rate_limited', { retryAfter: Math.ceil(wait) }))
  }

  #gone(line: SocketLine): void {
    if (!this.#sockets.delete(line)) return
    if (this.#sockets.size === 0) this.#onEmpty()
    line.closing = true
    const { identity } = line
    this.#admission.left(line.address, { opened: identity.kind === 'open' })
    if (identity.kind !== 'open') return
    this.#deps.lines.remove(identity.line)
    if (identity.line.feed) this.#deps.delivery.close(identity.line.feed)
    this.#deps.presence.left(identity.line.account, this.#deps.clock.now())
  }

  #look(socket: SocketLine, now: number): void {
    const { limits } = this.#deps
    const silence = now - socket.heardAt
    if (socket.strikes > 0 && this.#frames.isFull(spender(socket), now)) socket.strikes = 0
    if (silence >= limits.deadAfter) return socket.terminate()
    if (socket.closing) return
    if (socket.congestedSince > 0 && now - socket.congestedSince >= limits.slowFor) return socket.close('tooSlow')
    const { identity } = socket
    if (identity.kind !== 'open') {
      if (now - identity.since >= limits.helloWithin) socket.close('unauthenticated')
      return
    }
    if (now >= identity.expiresAt) return socket.close('unauthenticated')
    if (!identity.noticed && now >= identity.expiresAt - limits.expiryNotice) {
      socket.identity = { ...identity, noticed: true }
      socket.announceEnd('expiring', Math.ceil((identity.expiresAt - now) / 1000))
    }
    if (silence >= limits.pingAfter && now - socket.pingedAt >= limits.pingAfter) socket.ping(now)
  }

  #drained({ identity }: SocketLine): void {
    if (identity.kind === 'open' && identity.line.feed) this.#deps.delivery.wake(identity.line.feed)
  }

  #refuseUpgrade(duplex: Duplex, refusal: Refusal): void {
    const problem = problemOf({ refusal, requestId: this.#deps.random.id() })
    const body = JSON.stringify(problem)
    const { retryAfter } = refusal.details
    const head = [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
      `content-type: ${PROBLEM_TYPE}`,
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${problem.requestId}`,
      ...(retryAfter === undefined ? [] : [`retry-after: ${retryAfter}`]),
      ...(problem.status === failures.client_too_old.status ? [`upgrade: websocket`, `sec-websocket-protocol: ${SUBPROTOCOL}`] : []),
      'connection: close',
    ]
    duplex.once('finish', () => duplex.destroy())
    duplex.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  }
}

/** Who spends the budget of frames: a device keeps its own when it comes back. */
const spender = (line: SocketLine): SocketLine | DeviceId => (line.identity.kind === 'open' ? line.identity.line.device : line)

function serverOptions({ fragments, bufferedChunks }: SocketGatewayDeps['limits']) {
  return {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: sizes.frame,
    maxFragments: fragments,
    maxBufferedChunks: bufferedChunks,
    // Pings are answered by our own listener, after their budget.
    autoPong: false,
    closeTimeout: 5000,
    handleProtocols: () => SUBPROTOCOL,
  } as const
}

const ignore = (): void => undefined
