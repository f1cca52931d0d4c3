/**
 * The network of one device, with weather: it can be cut, and answers can be lost on their way back. And with a server that
 * lies to the device: everything that it hears passes here.
 */
import {
  decodeCommand,
  decodeFromServer,
  encodeEvent,
  type CommandFrame,
  type CommandName,
  type ConversationId,
  type EventFrame,
} from '@tacit/contract'
import { platformNetwork, type Network, type OpenSocket, type SocketListener } from '@tacit/sdk'

/** What a hostile server makes of an event before it sends it; undefined swallows it. */
export type Forge = (event: EventFrame) => EventFrame | undefined

/** What it makes of the JSON of an answer; or a promise of that. */
export type ForgeAnswer = (url: string, body: unknown) => unknown

/**
 * What it makes of a command before the server hears it: undefined lets it pass, bytes are answered in the server's place, and
 * after `silence` nobody ever hears of it.
 */
export type Pretend = (command: CommandFrame) => Uint8Array | 'silence' | undefined

/** RFC 6455 section 7.4.1: the connection just ended. */
const ABNORMAL = 1006

export class Weather implements Network {
  readonly #sockets = new Set<{ readonly socket: OpenSocket; readonly listener: SocketListener }>()
  readonly #hints = new Set<() => void>()
  #cut = false
  #deaf = false
  readonly #said = new Map<CommandName, number>()
  #forge: Forge = (event) => event
  #forgeAnswer: ForgeAnswer | undefined
  #pretend: Pretend = () => undefined
  #authorization = ''
  #network: Network
  #unanswered: (command: CommandFrame) => boolean = () => false
  readonly #acknowledged = new Map<ConversationId, number>()
  readonly #onAcknowledged = new Set<() => void>()

  /** `network`: what the weather is in front of. */
  constructor(network: Network = platformNetwork) {
    this.#network = network
  }

  /** The same weather in front of another network: a device that was started again. */
  over(network: Network): this {
    this.#network = network
    return this
  }

  /** No network at all from now on; the platform says so. */
  cut(): void {
    this.#cut = true
    this.#endSockets()
    for (const hint of this.#hints) hint()
  }

  /** The network is back. */
  restore(): void {
    this.#cut = false
    this.#deaf = false
    this.#unanswered = () => false
    for (const hint of this.#hints) hint()
  }

  /** What is sent still arrives, nothing comes back: answers get lost. */
  loseAnswers(): void {
    this.#deaf = true
  }

  /** From now on the answers to some commands get lost on the socket; events still arrive. */
  loseAnswersTo(which: (command: CommandFrame) => boolean): void {
    this.#unanswered = which
  }

  /** Up to where the device has told the server that it stored a conversation. */
  acknowledged(conversation: ConversationId): number {
    return this.#acknowledged.get(conversation) ?? 0
  }

  /** Resolves when the device has told the server that it stored a conversation up to here. */
  acknowledges(conversation: ConversationId, seq: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = (): void => {
      if (this.acknowledged(conversation) < seq) return
      this.#onAcknowledged.delete(look)
      resolve()
    }
    this.#onAcknowledged.add(look)
    look()
    return promise
  }

  /** From now on the server lies on the socket as `forge` says. */
  forge(forge: Forge): void {
    this.#forge = forge
  }

  /** From now on the server lies in its answers; an answer with a `status` of its own is given with that. */
  forgeAnswers(forge: ForgeAnswer): void {
    this.#forgeAnswer = forge
  }

  /** From now on the server treats commands as `pretend` says; it hears each of them. */
  pretend(pretend: Pretend): void {
    this.#pretend = pretend
  }

  /** Asks the server in this device's name, past all weather. Undefined when it refuses. */
  async ask(url: string): Promise<unknown> {
    const response = await this.#network.fetch(url, { headers: { authorization: this.#authorization } })
    return response.ok ? await response.json() : undefined
  }

  /** Something arrives that no server of ours would send. */
  inject(bytes: Uint8Array): void {
    for (const { listener } of this.#sockets) listener.received(bytes)
  }

  /** The sockets end without a word, as if a router had restarted; the platform believes to be online. */
  endSockets(): void {
    this.#endSockets()
  }

  /** How often this device has sent a command. */
  said(name: CommandName): number {
    return this.#said.get(name) ?? 0
  }

  async fetch(url: string, init: RequestInit): Promise<Response> {
    if (this.#cut) throw new TypeError('no network')
    this.#authorization = new Headers(init.headers).get('authorization') ?? this.#authorization
    const response = await this.#network.fetch(url, init)
    if (this.#cut || this.#deaf) throw new TypeError('the answer was lost')
    return this.#forgeAnswer ? forged(response, { url, forge: this.#forgeAnswer }) : response
  }

  openSocket({ url, protocol, listener }: Parameters<Network['openSocket']>[0]): OpenSocket {
    if (this.#cut) {
      queueMicrotask(() => listener.closed(ABNORMAL))
      return { send: () => undefined, close: () => undefined }
    }
    const lost = new Set<number>()
    const socket = this.#network.openSocket({
      url,
      protocol,
      listener: {
        opened: () => listener.opened(),
        received: (bytes) => this.#receive({ listener, bytes, lost }),
        closed: (code) => {
          this.#sockets.delete(entry)
          listener.closed(code)
        },
      },
    })
    const entry = { socket, listener }
    this.#sockets.add(entry)
    return { send: (bytes) => this.#send({ socket, listener, bytes, lost }), close: () => socket.close() }
  }

  isOnline(): boolean {
    return !this.#cut && this.#network.isOnline()
  }

  onHint(listener: () => void): () => void {
    this.#hints.add(listener)
    const stop = this.#network.onHint(listener)
    return () => {
      this.#hints.delete(listener)
      stop()
    }
  }

  #send({
    socket,
    listener,
    bytes,
    lost,
  }: {
    socket: OpenSocket
    listener: SocketListener
    bytes: Uint8Array<ArrayBuffer>
    lost: Set<number>
  }): void {
    const frame = decodeCommand(bytes)
    if (frame.type === 'command') {
      this.#note(frame, lost)
      const answer = this.#pretend(frame)
      if (answer === 'silence') return
      if (answer) return queueMicrotask(() => listener.received(answer))
    }
    socket.send(bytes)
  }

  #note(frame: CommandFrame, lost: Set<number>): void {
    this.#said.set(frame.name, this.said(frame.name) + 1)
    if (this.#unanswered(frame)) lost.add(frame.ref)
    // A socket begins with the cursors themselves: what the last one had no time to acknowledge is said so.
    if (frame.name !== 'delivery.acknowledge' && frame.name !== 'delivery.resume') return
    for (const { conversation, seq } of frame.body.cursors)
      this.#acknowledged.set(conversation, Math.max(seq, this.acknowledged(conversation)))
    for (const look of this.#onAcknowledged) look()
  }

  #receive({ listener, bytes, lost }: { listener: SocketListener; bytes: Uint8Array; lost: ReadonlySet<number> }): void {
    if (this.#deaf) return
    const frame = decodeFromServer(bytes)
    if ((frame.type === 'accepted' || frame.type === 'refused') && lost.has(frame.ref)) return
    const forged = frame.type === 'event' ? this.#forge(frame) : frame
    if (forged === frame) listener.received(bytes)
    else if (forged?.type === 'event') listener.received(encodeEvent(forged))
  }

  #endSockets(): void {
    for (const entry of this.#sockets) {
      this.#sockets.delete(entry)
      entry.socket.close()
      entry.listener.closed(ABNORMAL)
    }
  }
}

async function forged(response: Response, { url, forge }: { url: string; forge: ForgeAnswer }): Promise<Response> {
  const text = await response.text()
  if (text === '') return response
  const body = await forge(url, JSON.parse(text))
  const status =
    typeof body === 'object' && body !== null && 'status' in body && typeof body.status === 'number' ? body.status : response.status
  return new Response(JSON.stringify(body), { status })
}
