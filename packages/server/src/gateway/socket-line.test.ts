import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { systemClock } from '../clock.ts'
import { socketLimits } from './socket-limits.ts'
import { SocketLine, TurnEnd } from './socket-line.ts'

let server: Server
let line: SocketLine
let device: WebSocket
let chunks: number
const received: number[] = []

beforeEach(async () => {
  received.length = 0
  chunks = 0
  const websockets = new WebSocketServer({ noServer: true })
  server = createServer()
  const shared = { clock: systemClock, limits: socketLimits(1), turn: new TurnEnd(), drained: () => undefined }
  server.on('upgrade', (request, duplex, head) =>
    websockets.handleUpgrade(request, duplex, head, (socket) => {
      line = new SocketLine({ socket, duplex, address: '127.0.0.1', now: 0 }, shared)
      const write = duplex.write.bind(duplex)
      vi.spyOn(duplex, 'write').mockImplementation((chunk: unknown) => {
        chunks += 1
        return write(chunk)
      })
    }),
  )
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  device = new WebSocket(`ws://127.0.0.1:${port}`)
  device.on('message', (data) => received.push(Buffer.isBuffer(data) ? (data[0] ?? 0) : -1))
  await once(device, 'open')
})
afterEach(() => {
  device.terminate()
  server.close()
})

describe('what is sent to a socket', () => {
  test('leaves in one chunk at the end of the turn, in its order', async () => {
    line.send(Uint8Array.of(1))
    line.send(Uint8Array.of(2))
    await expect.poll(() => received).toEqual([1, 2])
    expect(chunks).toBe(1)
  })

  test('takes along what nobody waits for', async () => {
    line.sendUnhurried(Uint8Array.of(1))
    line.sendUnhurried(Uint8Array.of(2))
    line.send(Uint8Array.of(3))
    await expect.poll(() => received).toEqual([1, 2, 3])
    expect(chunks).toBe(1)
  })

  test('leaves also when it is only what nobody waits for, and once', async () => {
    line.sendUnhurried(Uint8Array.of(1))
    line.sendUnhurried(Uint8Array.of(2))
    await expect.poll(() => received).toEqual([1, 2])
    line.sendUnhurried(Uint8Array.of(3))
    await expect.poll(() => received).toEqual([1, 2, 3])
    expect(chunks).toBe(2)
  })

  test('leaves before the socket is closed, also what nobody waits for', async () => {
    line.sendUnhurried(Uint8Array.of(1))
    line.close('replaced')
    await once(device, 'close')
    expect(received).toEqual([1])
  })
})
