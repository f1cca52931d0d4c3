/** An account that wants more than its share: eight devices that send as fast as they can, and come back when they are thrown out. */
import { CONTRACT_VERSION, decodeFromServer, encodeCommand, SOCKET_PATH, SUBPROTOCOL } from '@tacit/contract'
import { WebSocket } from 'ws'
import { addressOf, sealedMessage } from './client.ts'
import type { Assignment } from './talk.ts'
import type { BenchDevice } from './world.ts'

/** Up to the largest that a message may be. */
const SIZES = [300, 4_000, 60_000]

/** What a device hurls at the server before it looks around, and how often, milliseconds. */
const VOLLEY = 50
const EVERY = 20

/** Bytes that wait for the network; without a bound what is measured is how this process fills the memory. */
const MOST_UNSENT = 4 * 1024 * 1024

/** Goes on until its process ends. */
export function makeNoise({ url, devices }: Assignment): void {
  // From one address, as from one house.
  for (const self of devices) new Rager(url, { ...self, address: devices[0]?.address ?? self.address }).connect()
}

/** Numbers its messages as the server wants them, or everything after the first refusal would be refused for its number alone. */
class Rager {
  readonly #url: string
  readonly #self: BenchDevice
  /** Made once: whoever is noisy would not spend their time on that. */
  readonly #sealed: readonly Uint8Array<ArrayBuffer>[]
  /** The last number that was sent, and the one of the last message that was accepted. */
  #sent = 0
  #accepted = 0
  #unanswered = 0

  constructor(url: string, self: BenchDevice) {
    this.#url = url
    this.#self = self
    this.#sealed = SIZES.map((size) => sealedMessage(self.conversation, size))
  }

  connect(): void {
    const { token } = this.#self
    const socket = new WebSocket(this.#url + SOCKET_PATH, SUBPROTOCOL, { perMessageDeflate: false, headers: addressOf(this.#self) })
    let timer: NodeJS.Timeout | undefined
    this.#unanswered = 0
    socket.on('open', () => {
      socket.send(encodeCommand({ ref: 0, name: 'connection.hello', body: { accessToken: token, contract: CONTRACT_VERSION } }))
      socket.send(encodeCommand({ ref: 0, name: 'delivery.resume', body: { cursors: [] } }))
      timer = setInterval(() => this.#hurl(socket), EVERY)
    })
    socket.on('message', (data) => this.#hear(socket, data instanceof Buffer ? data : Buffer.alloc(0)))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearInterval(timer)
      setTimeout(() => this.connect(), EVERY)
    })
  }

  #hurl(socket: WebSocket): void {
    if (socket.bufferedAmount > MOST_UNSENT) return
    if (this.#unanswered === 0) this.#sent = this.#accepted
    const { conversation } = this.#self
    for (let at = 0; at < VOLLEY; at++) {
      const clientSeq = ++this.#sent
      const bytes = this.#sealed[clientSeq % this.#sealed.length] ?? new Uint8Array(0)
      socket.send(encodeCommand({ ref: clientSeq, name: 'delivery.send', body: { conversation, epoch: 1, clientSeq, bytes } }))
    }
    this.#unanswered += VOLLEY
  }

  #hear(socket: WebSocket, data: Buffer): void {
    const frame = decodeFromServer(data)
    if (frame.type === 'event' && frame.name === 'delivery.entries') {
      const cursors = [{ conversation: this.#self.conversation, seq: frame.body.entries.at(-1)?.seq ?? 0 }]
      socket.send(encodeCommand({ ref: 0, name: 'delivery.acknowledge', body: { cursors } }))
    }
    if ((frame.type !== 'accepted' && frame.type !== 'refused') || frame.ref === 0) return
    this.#unanswered -= 1
    if (frame.type === 'accepted') this.#accepted = Math.max(this.#accepted, frame.ref)
    else if (typeof frame.details.expected === 'number') this.#accepted = frame.details.expected - 1
  }
}
