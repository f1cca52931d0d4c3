/** The network of one device, with weather: it can be cut, and answers can be lost on their way back. */
import { decodeFromServer, encodeEvent, type EventFrame } from '@tacit/contract'
import { platformNetwork, type Network, type OpenSocket, type SocketListener } from '@tacit/sdk'

/** What a hostile server makes of an event before it sends it; undefined swallows it. */
export type Forge = (event: EventFrame) => EventFrame | undefined

/** What it makes of the JSON of an answer. */
export type ForgeAnswer = (url: string, body: unknown) => unknown

/** RFC 6455 section 7.4.1: the connection just ended. */
const ABNORMAL = 1006

export class Weather implements Network {
  readonly #sockets = new Set<{ readonly socket: OpenSocket; readonly listener: SocketListener }>()
  readonly #hints = new Set<() => void>()
  #cut = false
  #deaf = false
  #forge: Forge = (event) => event
  #forgeAnswer: ForgeAnswer | undefined

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
    for (const hint of this.#hints) hint()
  }

  /** What is sent still arrives, nothing comes back: answers get lost. */
  loseAnswers(): void {
    this.#deaf = true
  }

  /** From now on the server lies on the socket as `forge` says. */
  forge(forge: Forge): void {
    this.#forge = forge
  }

  /** From now on the server lies in its answers; an answer with a `status` of its own is given with that. */
  forgeAnswers(forge: ForgeAnswer): void {
    this.#forgeAnswer = forge
  }

  /** Something arrives that no server of ours would send. */
  inject(bytes: Uint8Array): void {
    for (const { listener } of this.#sockets) listener.received(bytes)
  }

  /** The sockets end without a word, as if a router had restarted; the platform believes to be online. */
  endSockets(): void {
    this.#endSockets()
  }

  async fetch(url: string, init: RequestInit): Promise<Response> {
    if (this.#cut) throw new TypeError('no network')
    const response = await platformNetwork.fetch(url, init)
    if (this.#cut || this.#deaf) throw new TypeError('the answer was lost')
    return this.#forgeAnswer ? forged(response, { url, forge: this.#forgeAnswer }) : response
  }

  openSocket({ url, protocol, listener }: Parameters<Network['openSocket']>[0]): OpenSocket {
    if (this.#cut) {
      queueMicrotask(() => listener.closed(ABNORMAL))
      return { send: () => undefined, close: () => undefined }
    }
    const socket = platformNetwork.openSocket({
      url,
      protocol,
      listener: {
        opened: () => listener.opened(),
        received: (bytes) => this.#receive(listener, bytes),
        closed: (code) => {
          this.#sockets.delete(entry)
          listener.closed(code)
        },
      },
    })
    const entry = { socket, listener }
    this.#sockets.add(entry)
    return socket
  }

  isOnline(): boolean {
    return !this.#cut
  }

  onHint(listener: () => void): () => void {
    this.#hints.add(listener)
    return () => this.#hints.delete(listener)
  }

  #receive(listener: SocketListener, bytes: Uint8Array): void {
    if (this.#deaf) return
    const frame = decodeFromServer(bytes)
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
  const body = forge(url, JSON.parse(text))
  const status =
    typeof body === 'object' && body !== null && 'status' in body && typeof body.status === 'number' ? body.status : response.status
  return new Response(JSON.stringify(body), { status })
}
