/** One device of the load generator. It checks what it receives: positions without gaps, each message accepted once. */
import { randomBytes } from 'node:crypto'
import {
  ACKNOWLEDGE_WITHIN,
  CONTRACT_VERSION,
  concatBytes,
  decodeCborInPlace,
  encodeCbor,
  encodeCommand,
  fromBase64Url,
  limits,
  SOCKET_PATH,
  SUBPROTOCOL,
  type CborValue,
} from '@tacit/contract'
import { WebSocket } from 'ws'
import { floorKind } from './talk.ts'
import type { BenchDevice } from './world.ts'

/** Bytes of sealed payload in each message. */
const PAYLOAD = 300
/** Entries after which a device acknowledges, as the SDK does; what comes more slowly, it does in time. */
const ACKNOWLEDGE_EVERY = limits.windowEntries / 4

/** Who wants to know; times in milliseconds. */
export interface Watch {
  accepted(took: number): void
  /** The device has a message of somebody else. */
  delivered(sender: string, number: number): void
  failed(why: string): void
}

export abstract class Client {
  readonly socket: WebSocket
  protected readonly watch: Watch
  readonly #sentAt = new Map<number, number>()
  readonly #starts = new Map<number, number>()
  /** Of the last message. */
  number = 0

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

  send(): void {
    this.number += 1
    const now = performance.now()
    this.#sentAt.set(this.number, now)
    this.#starts.set(this.number, now)
    this.#starts.delete(this.number - 4096)
    this.socket.send(this.frame(this.number))
  }

  /** Says what it has, if that is due. */
  acknowledge(): void {}

  /** Goes, without anybody hearing of it. */
  leave(): void {
    this.socket
      .removeAllListeners('close')
      .removeAllListeners('error')
      .on('error', () => undefined)
    this.socket.terminate()
  }

  protected abstract frame(number: number): Uint8Array

  protected settle(number: number): void {
    const began = this.#sentAt.get(number)
    this.#sentAt.delete(number)
    if (began !== undefined) this.watch.accepted(performance.now() - began)
  }
}

/** Who connects, and as whom. */
export interface Connecting {
  readonly self: BenchDevice
  readonly watch: Watch
}

interface FloorConnecting extends Connecting {
  readonly kind: Exclude<keyof typeof floorKind, 'kept'>
}

export class RelayClient extends Client {
  readonly #self: BenchDevice
  readonly #head: Uint8Array
  readonly #tail: Uint8Array
  #seen = 0
  #acknowledged = 0
  /** When what came first after the last acknowledgement came. */
  #waitsSince = 0

  private constructor(socket: WebSocket, { self, watch }: Connecting) {
    super(socket, watch)
    this.#self = self
    this.#head = concatBytes(Uint8Array.of(0x84), encodeCbor(self.conversation), encodeCbor(1))
    this.#tail = encodeCbor(sealedMessage(self.conversation))
  }

  /** Connected, introduced, caught up; with `drains`, only introduced. */
  static async connect(url: string, { self, watch, drains = false }: Connecting & { readonly drains?: boolean }): Promise<RelayClient> {
    const socket = new WebSocket(url + SOCKET_PATH, SUBPROTOCOL, { perMessageDeflate: false, headers: addressOf(self) })
    const client = new RelayClient(socket, { self, watch })
    await opened(socket)
    await new Promise<void>((resolve) => {
      socket.on('message', (data) => client.#take(data instanceof Buffer ? data : Buffer.alloc(0), resolve))
      socket.send(encodeCommand({ ref: 0, name: 'connection.hello', body: { accessToken: self.token, contract: CONTRACT_VERSION } }))
      socket.send(encodeCommand({ ref: 0, name: 'delivery.resume', body: { cursors: [] } }))
      if (drains) resolve()
    })
    return client
  }

  /** Position of the last entry it has. */
  get seen(): number {
    return this.#seen
  }

  override acknowledge(): void {
    const waiting = this.#seen - this.#acknowledged
    if (waiting === 0 || (waiting < ACKNOWLEDGE_EVERY && performance.now() - this.#waitsSince < ACKNOWLEDGE_WITHIN)) return
    this.#acknowledged = this.#seen
    const cursors = [{ conversation: this.#self.conversation, seq: this.#seen }]
    this.socket.send(encodeCommand({ ref: 0, name: 'delivery.acknowledge', body: { cursors } }))
  }

  /** `delivery.send` from parts: what does not change is encoded once, so that the generator is not what is measured. */
  protected override frame(number: number): Uint8Array {
    const written = encodeCbor(number)
    return concatBytes(COMMAND, written, SEND, this.#head, written, this.#tail)
  }

  #take(bytes: Uint8Array, caughtUp: () => void): void {
    const frame = decodeCborInPlace(bytes) as readonly CborValue[]
    if (frame[0] === 2 && frame[1] !== 0) this.settle(Number(frame[1]))
    if (frame[0] === 3) this.watch.failed(`refused: ${String(frame[2])}`)
    if (frame[0] === 4 && frame[1] === 1) this.#entries(frame[2] as readonly CborValue[])
    if (frame[0] === 4 && frame[1] === 8) caughtUp()
  }

  #entries([, , entries]: readonly CborValue[]): void {
    if (this.#seen === this.#acknowledged) this.#waitsSince = performance.now()
    for (const [seq, , , sender, clientSeq] of entries as readonly (readonly CborValue[])[]) {
      if (this.#seen > 0 && Number(seq) !== this.#seen + 1) this.watch.failed(`seq ${String(seq)} after ${this.#seen}`)
      this.#seen = Number(seq)
      if (sender !== this.#self.device) this.watch.delivered(String(sender), Number(clientSeq))
    }
    if (this.#seen - this.#acknowledged >= ACKNOWLEDGE_EVERY) this.acknowledge()
  }
}

/** A client of a floor; `kind`: what becomes of what it sends. A frame is its kind, a number of four bytes, and whose it is. */
export class FloorClient extends Client {
  readonly #bytes = Buffer.alloc(PAYLOAD)
  private constructor(socket: WebSocket, { self, watch, kind }: FloorConnecting) {
    super(socket, watch)
    this.#bytes.writeUInt8(floorKind[kind], 0)
    this.#bytes.writeUInt8(self.device.length, 5)
    this.#bytes.write(self.device, 6)
  }

  static async connect(url: string, connecting: FloorConnecting): Promise<FloorClient> {
    const { self, watch } = connecting
    const socket = new WebSocket(`${url}/${self.conversation}`, { perMessageDeflate: false })
    const client = new FloorClient(socket, connecting)
    await opened(socket)
    socket.on('message', (data) => client.#take(data instanceof Buffer ? data : Buffer.alloc(6), self.device, watch))
    return client
  }

  #take(data: Buffer, self: string, watch: Watch): void {
    const number = data.readUInt32BE(1)
    if (data[0] === floorKind.kept) return this.settle(number)
    const sender = data.toString('latin1', 6, 6 + (data[5] ?? 0))
    if (sender === self) this.settle(number)
    else watch.delivered(sender, number)
  }

  protected override frame(number: number): Uint8Array {
    this.#bytes.writeUInt32BE(number, 1)
    return Buffer.from(this.#bytes)
  }
}

/** `[1, ref, 4, ` and what follows: an array of four, the first element; then the command's number. */
const COMMAND = Uint8Array.of(0x84, 1)
const SEND = encodeCbor(4)

/** An address of its own for each account, as a proxy would say it. */
export const addressOf = ({ address }: BenchDevice): Record<string, string> => ({ 'x-forwarded-for': address })

const opened = (socket: WebSocket): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('error', reject)
  })

/** An application message as the server sees it (RFC 9420 section 6.3): a true header, then what could be ciphertext. */
export function sealedMessage(conversation: string, size = PAYLOAD): Uint8Array<ArrayBuffer> {
  const groupId = fromBase64Url(conversation) ?? new Uint8Array(16)
  const header = [0, 1, 0, 2, groupId.length, ...groupId, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0]
  const length = size < 0x4000 ? [0x40 | (size >> 8), size & 0xff] : [0x80, (size >> 16) & 0xff, (size >> 8) & 0xff, size & 0xff]
  return concatBytes(Uint8Array.from([...header, 12]), randomBytes(12), Uint8Array.from(length), randomBytes(size))
}
