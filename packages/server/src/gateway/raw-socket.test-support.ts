/** A client that writes WebSocket frames byte by byte (RFC 6455 section 5), for what no decent library would send. */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { SOCKET_PATH, SUBPROTOCOL } from '@tacit/contract'

export interface FrameParts {
  readonly opcode?: number
  readonly payload?: Uint8Array
  readonly final?: boolean
  readonly masked?: boolean
  /** The three reserved bits, as the high bits of the first byte. */
  readonly reserved?: number
  /** What the length field claims, if not the truth. */
  readonly claimedLength?: bigint
}

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9 } as const

/** One frame. */
export function frame({
  opcode = opcodes.binary,
  payload = new Uint8Array(),
  final = true,
  masked = true,
  reserved = 0,
  claimedLength,
}: FrameParts): Buffer {
  const mask = masked ? randomBytes(4) : Buffer.alloc(0)
  const body = Buffer.from(payload.map((byte, at) => (masked ? byte ^ (mask[at % 4] ?? 0) : byte)))
  return Buffer.concat([
    Buffer.of((final ? 0x80 : 0) | reserved | opcode),
    length(claimedLength ?? BigInt(payload.length), masked),
    mask,
    body,
  ])
}

function length(value: bigint, masked: boolean): Buffer {
  const bit = masked ? 0x80 : 0
  if (value < 126n) return Buffer.of(bit | Number(value))
  if (value < 65_536n) return Buffer.of(bit | 126, Number(value >> 8n), Number(value & 0xffn))
  const wide = Buffer.alloc(9)
  wide[0] = bit | 127
  wide.writeBigUInt64BE(value, 1)
  return wide
}

export class RawSocket {
  readonly socket: Socket
  /** Everything after the answer's head. */
  received = Buffer.alloc(0)
  /** The answer to the upgrade request. */
  readonly head: string

  private constructor(socket: Socket, head: string) {
    this.socket = socket
    this.head = head
    socket.on('data', (chunk) => (this.received = Buffer.concat([this.received, chunk])))
    socket.on('error', () => undefined)
  }

  /** Sends an upgrade request, with other headers if given, and waits for the head of the answer. */
  static async upgrade(url: string, headers: Record<string, string> = {}): Promise<RawSocket> {
    const { hostname, port, host } = new URL(url)
    // Without delay: a server that may not write to a reader that reads nothing acknowledges what it hears 40 ms later.
    const socket = connect(Number(port), hostname).setNoDelay()
    const lines = {
      Host: host,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      'Sec-WebSocket-Protocol': SUBPROTOCOL,
      ...headers,
    }
    socket.write(
      `GET ${SOCKET_PATH} HTTP/1.1\r\n${Object.entries(lines)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('')}\r\n`,
    )
    const head = await new Promise<string>((resolve, reject) => {
      let text = ''
      const take = (chunk: Buffer): void => {
        text += chunk.toString('latin1')
        if (!text.includes('\r\n\r\n')) return
        socket.off('data', take)
        resolve(text)
      }
      socket.on('data', take)
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('closed before an answer')))
    })
    return new RawSocket(socket, head)
  }

  write(...frames: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames))
  }

  /** The code of the server's close frame; undefined if the connection ends without one. */
  closeCode(): Promise<number | undefined> {
    return new Promise((resolve) => {
      const look = (): void => {
        const code = closeCodeIn(this.received)
        if (code !== undefined || this.socket.closed) resolve(code)
      }
      this.socket.on('data', look)
      this.socket.once('close', look)
      look()
    })
  }
}

/** Walks over the server's unmasked frames to its close frame. */
function closeCodeIn(bytes: Buffer): number | undefined {
  let at = 0
  while (at + 2 <= bytes.length) {
    const opcode = (bytes[at] ?? 0) & 0x0f
    const short = (bytes[at + 1] ?? 0) & 0x7f
    const extra = short === 126 ? 2 : short === 127 ? 8 : 0
    const size = short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short
    if (opcode === opcodes.close) return size >= 2 ? bytes.readUInt16BE(at + 2 + extra) : undefined
    at += 2 + extra + size
  }
  return undefined
}
