import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { writeFrames } from './socket-writing.ts'

/** What a peer reads (RFC 6455 section 5.2): the payloads of final, binary, unmasked frames. */
function payloads(bytes: Buffer): Buffer[] {
  if (bytes.length === 0) return []
  expect(bytes[0]).toBe(0x82)
  const short = bytes[1] ?? 0
  const [start, length] = short < 126 ? [2, short] : short === 126 ? [4, bytes.readUInt16BE(2)] : [10, Number(bytes.readBigUInt64BE(2))]
  return [bytes.subarray(start, start + length), ...payloads(bytes.subarray(start + length))]
}

function written(frames: readonly Uint8Array[]): { chunks: number; bytes: Buffer } {
  const duplex = new PassThrough({ highWaterMark: 1 << 24 })
  const chunks: Buffer[] = []
  writeFrames(
    duplex,
    frames,
    frames.reduce((sum, { length }) => sum + length, 0),
  )
  for (let chunk: unknown = duplex.read(); Buffer.isBuffer(chunk); chunk = duplex.read()) chunks.push(chunk)
  return { chunks: chunks.length, bytes: Buffer.concat(chunks) }
}

test('frames of every size arrive whole and in their order', () => {
  const frames = [0, 1, 125, 126, 127, 16_384, 65_535, 65_536, 300_000].map((size, at) => new Uint8Array(size).fill(at))
  expect(payloads(written(frames).bytes).map((payload) => [payload.length, payload[0]])).toEqual(
    frames.map((frame) => [frame.length, frame[0]]),
  )
  for (const frame of frames) expect(payloads(written([frame]).bytes)).toEqual([Buffer.from(frame)])
})

test('small frames leave in one chunk', () => {
  const { chunks, bytes } = written([new Uint8Array(300), new Uint8Array(70), new Uint8Array(9)])
  expect({ chunks, sizes: payloads(bytes).map(({ length }) => length) }).toEqual({ chunks: 1, sizes: [300, 70, 9] })
})

test('what a reader takes late is what was written to it, whatever was written to others meanwhile', async () => {
  const [slow, quick] = [await pair(), await pair()]
  const sent: Buffer[] = []
  const send = (): void => {
    const frame = Buffer.alloc(15_000, sent.length % 251)
    sent.push(frame)
    writeFrames(slow.here, [frame], frame.length)
  }
  // Until the system takes only a part of one, and then some that wait behind it.
  while (slow.here.writableLength === 0) send()
  writeFrames(quick.here, [Buffer.alloc(16_000, 255)], 16_000)
  send()
  quick.there.resume()
  slow.here.end()
  const read = payloads(await buffer(slow.there))
  expect(read.length).toBe(sent.length)
  expect(read.findIndex((payload, at) => !payload.equals(sent[at] ?? Buffer.alloc(0)))).toBe(-1)
  for (const socket of [slow.there, quick.here, quick.there]) socket.destroy()
})

/** Two ends of a connection, of which the other one does not read by itself. */
async function pair(): Promise<{ here: Socket; there: Socket }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const here = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [there] = (await once(server, 'connection')) as [Socket]
  server.close()
  if (here.connecting) await once(here, 'connect')
  return { here, there }
}
