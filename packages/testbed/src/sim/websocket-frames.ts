/** The device's end of a WebSocket (RFC 6455) over a stream of bytes: the handshake's answer, frames in, frames out. */

export const OPCODE = { binary: 2, close: 8, ping: 9, pong: 10 } as const

export interface Frame {
  readonly opcode: number
  readonly payload: Uint8Array<ArrayBuffer>
}

const CRLF2 = Buffer.from('\r\n\r\n')

/** Masked with zeros, which leaves the payload as it is (section 5.3). */
export function maskedFrame({ opcode, payload }: Frame): Uint8Array {
  const { length } = payload
  const size = length < 126 ? [0x80 | length] : length < 0x1_0000 ? [0xfe, length >> 8, length & 0xff] : [0xff, ...eightBytes(length)]
  const head = [0x80 | opcode, ...size, 0, 0, 0, 0]
  const frame = new Uint8Array(head.length + length)
  frame.set(head)
  frame.set(payload, head.length)
  return frame
}

/** Takes what the server sends, in any pieces. */
export class FrameReader {
  #rest: Buffer<ArrayBuffer> = Buffer.alloc(0)
  #upgraded = false

  /** The status of the handshake's answer when it was complete with this piece, and the frames that were. */
  take(bytes: Uint8Array): { readonly status?: number; readonly frames: readonly Frame[] } {
    this.#rest = Buffer.concat([this.#rest, bytes])
    const status = this.#upgraded ? undefined : this.#takeStatus()
    const frames: Frame[] = []
    while (this.#upgraded) {
      const frame = this.#takeFrame()
      if (!frame) break
      frames.push(frame)
    }
    return { ...(status !== undefined && { status }), frames }
  }

  #takeStatus(): number | undefined {
    const end = this.#rest.indexOf(CRLF2)
    if (end < 0) return undefined
    const status = Number(this.#rest.toString('latin1', 9, 12))
    this.#rest = this.#rest.subarray(end + CRLF2.length)
    this.#upgraded = status === 101
    return status
  }

  #takeFrame(): Frame | undefined {
    const rest = this.#rest
    if (rest.length < 2) return undefined
    const short = rest.readUInt8(1) & 0x7f
    const extra = short === 126 ? 2 : short === 127 ? 8 : 0
    if (rest.length < 2 + extra) return undefined
    const length = extra === 2 ? rest.readUInt16BE(2) : extra === 8 ? Number(rest.readBigUInt64BE(2)) : short
    const begin = 2 + extra
    if (rest.length < begin + length) return undefined
    this.#rest = rest.subarray(begin + length)
    return { opcode: rest.readUInt8(0) & 0x0f, payload: new Uint8Array(rest.subarray(begin, begin + length)) }
  }
}

const eightBytes = (value: number): number[] => [...new Uint8Array(new BigUint64Array([BigInt(value)]).buffer).reverse()]
