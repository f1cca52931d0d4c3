/** One device of the load generator. It checks what it receives: positions without gaps, each message accepted once. */
import { randomBytes } from 'node:crypto'
import {
  CONTRACT_VERSION,
  concatBytes,
  decodeCbor,
  encodeCommand,
  fromBase64Url,
  SOCKET_PATH,
  SUBPROTOCOL,
  type CborValue,
} from '@tacit/contract'
import { WebSocket } from 'ws'
import type { BenchDevice } from './world.ts'

/** Bytes of sealed payload in each message. */
const PAYLOAD = 300
/** Entries after which a device acknowledges; a timer does it for the rest. */
const ACKNOWLEDGE_EVERY = 32

/** Who wants to know; times in milliseconds. */
export interface Watch {
  accepted(took: number): void
  delivered(sender: string, clientSeq: number): void
  failed(why: string): void
}

export abstract class Client {
  readonly socket: WebSocket
  protected readonly watch: Watch
  readonly #sentAt = new Map<number, number>()
  protected next = 0

  constructor(socket: WebSocket, watch: Watch) {
    this.socket = socket
    this.watch = watch
    socket.on('close', (code) => watch.failed(`a socket closed with ${code}`))
    socket.on('error', (error) => watch.failed(error.message))
  }

  get outstanding(): number {
    return this.#sentAt.size
  }

  /** When a message of mine was sent, if it is not yet forgotten. */
  startOf(number: number): number | undefined {
    return this.#starts.get(number)
  }
  readonly #starts = new Map<number, number>()

  send(): void {
    this.next += 1
    const now = performance.now()
    this.#sentAt.set(this.next, now)
    this.#starts.set(this.next, now)
    this.#starts.delete(this.next - 4096)
    this.socket.send(this.frame(this.next))
  }

  acknowledge(): void {}

  protected abstract frame(number: number): Uint8Array

  protected settle(number: number): void {
    const began = this.#sentAt.get(number)
    this.#sentAt.delete(number)
    if (began !== undefined) this.watch.accepted(performance.now() - began)
  }
}

export class RelayClient extends Client {
  readonly #self: BenchDevice
  readonly #bytes: Uint8Array<ArrayBuffer>
  #seen = 0
  #acknowledged = 0

  constructor(socket: WebSocket, { self, watch }: { self: BenchDevice; watch: Watch }) {
    super(socket, watch)
    this.#self = self
    this.#bytes = sealed(self.conversation)
  }

  /** Connected, introduced, caught up. */
  static async connect(url: string, { self, watch }: { self: BenchDevice; watch: Watch }): Promise<RelayClient> {
    const socket = new WebSocket(url + SOCKET_PATH, SUBPROTOCOL, { perMessageDeflate: false })
    const client = new RelayClient(socket, { self, watch })
    await opened(socket)
    await new Promise<void>((resolve) => {
      socket.on('message', (data) => client.#take(data instanceof Buffer ? data : Buffer.alloc(0), resolve))
      socket.send(encodeCommand({ ref: 0, name: 'connection.hello', body: { accessToken: self.token, contract: CONTRACT_VERSION } }))
      socket.send(encodeCommand({ ref: 0, name: 'delivery.resume', body: { cursors: [] } }))
    })
    return client
  }

  override acknowledge(): void {
    if (this.#seen === this.#acknowledged) return
    this.#acknowledged = this.#seen
    const cursors = [{ conversation: this.#self.conversation, seq: this.#seen }]
    this.socket.send(encodeCommand({ ref: 0, name: 'delivery.acknowledge', body: { cursors } }))
  }

  protected override frame(number: number): Uint8Array {
    const { conversation } = this.#self
    return encodeCommand({ ref: number, name: 'delivery.send', body: { conversation, epoch: 1, clientSeq: number, bytes: this.#bytes } })
  }

  #take(bytes: Uint8Array, caughtUp: () => void): void {
    const frame = decodeCbor(bytes) as readonly CborValue[]
    if (frame[0] === 2 && frame[1] !== 0) this.settle(Number(frame[1]))
    if (frame[0] === 3) this.watch.failed(`refused: ${String(frame[2])}`)
    if (frame[0] === 4 && frame[1] === 1) this.#entries(frame[2] as readonly CborValue[])
    if (frame[0] === 4 && frame[1] === 8) caughtUp()
  }

  #entries([, , entries]: readonly CborValue[]): void {
    for (const [seq, , , sender, clientSeq] of entries as readonly (readonly CborValue[])[]) {
      if (this.#seen > 0 && Number(seq) !== this.#seen + 1) this.watch.failed(`seq ${String(seq)} after ${this.#seen}`)
      this.#seen = Number(seq)
      if (sender !== this.#self.device) this.watch.delivered(String(sender), Number(clientSeq))
    }
    if (this.#seen - this.#acknowledged >= ACKNOWLEDGE_EVERY) this.acknowledge()
  }
}

export class EchoClient extends Client {
  readonly #bytes = Buffer.alloc(PAYLOAD)

  static async connect(url: string, { watch }: { watch: Watch }): Promise<EchoClient> {
    const socket = new WebSocket(url, { perMessageDeflate: false })
    const client = new EchoClient(socket, watch)
    await opened(socket)
    socket.on('message', (data) => client.settle(data instanceof Buffer ? data.readUInt32BE(0) : 0))
    return client
  }

  protected override frame(number: number): Uint8Array {
    this.#bytes.writeUInt32BE(number, 0)
    return Buffer.from(this.#bytes)
  }
}

const opened = (socket: WebSocket): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('error', reject)
  })

/** An application message as the server sees it (RFC 9420 section 6.3): a true header, then what could be ciphertext. */
function sealed(conversation: string): Uint8Array<ArrayBuffer> {
  const groupId = fromBase64Url(conversation) ?? new Uint8Array(16)
  const header = [0, 1, 0, 2, groupId.length, ...groupId, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0]
  return concatBytes(
    Uint8Array.from([...header, 12]),
    randomBytes(12),
    Uint8Array.of(0x40 | (PAYLOAD >> 8), PAYLOAD & 0xff),
    randomBytes(PAYLOAD),
  )
}
