/**
 * Frames on their way out (RFC 6455 section 5.2): whole, binary, unmasked, as a server sends them. `ws` would make two
 * chunks and a call of each; the frames of a turn go in one chunk, which is half of what sending costs.
 */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'

/** The final frame of a message, opcode 2. */
const FINAL_BINARY = 0x82

/** What fits is copied into one chunk; beyond it, copying costs more than a chunk for each frame. */
const ONE_CHUNK = 16 * 1024

/** For what the system copies before `write` returns. An allocation for each chunk would be a fifth of what writing it costs. */
let scratch = Buffer.allocUnsafeSlow(ONE_CHUNK)

/** `size` is that of all frames together, bytes. */
export function writeFrames(duplex: Duplex, frames: readonly Uint8Array[], size: number): void {
  const whole = frames.reduce((sum, { length }) => sum + headSize(length), size)
  if (whole > ONE_CHUNK) return writeEach(duplex, frames)
  // What waits for a slow reader must not hold a pool of which it is a small part.
  if (duplex.writableLength > 0) return void duplex.write(inOneChunk(frames, Buffer.allocUnsafeSlow(whole)))
  if (!isPlainSocket(duplex)) return void duplex.write(inOneChunk(frames, Buffer.allocUnsafe(whole)))
  duplex.write(inOneChunk(frames, scratch.subarray(0, whole)))
  // The system took a part of it at most, and reads the rest from there when it can.
  if (duplex.writableLength > 0) scratch = Buffer.allocUnsafeSlow(ONE_CHUNK)
}

/** Of these nothing is held any more when nothing waits to be written; of others that is not known. */
const isPlainSocket = (duplex: Duplex): boolean => duplex instanceof Socket && !(duplex instanceof TLSSocket)

function writeEach(duplex: Duplex, frames: readonly Uint8Array[]): void {
  duplex.cork()
  for (const frame of frames) {
    const head = Buffer.allocUnsafe(headSize(frame.length))
    writeHead(head, frame.length, 0)
    duplex.write(head)
    duplex.write(frame)
  }
  duplex.uncork()
}

/** The chunk is as long as the frames and their heads. */
function inOneChunk(frames: readonly Uint8Array[], chunk: Buffer): Buffer {
  let at = 0
  for (const frame of frames) {
    at = writeHead(chunk, frame.length, at)
    chunk.set(frame, at)
    at += frame.length
  }
  return chunk
}

const headSize = (length: number): number => (length < 126 ? 2 : length < 0x1_0000 ? 4 : 10)

/** Returns where the payload begins. */
function writeHead(chunk: Buffer, length: number, at: number): number {
  chunk[at] = FINAL_BINARY
  if (length < 126) {
    chunk[at + 1] = length
    return at + 2
  }
  chunk[at + 1] = length < 0x1_0000 ? 126 : 127
  if (length < 0x1_0000) return chunk.writeUInt16BE(length, at + 2)
  return chunk.writeBigUInt64BE(BigInt(length), at + 2)
}
