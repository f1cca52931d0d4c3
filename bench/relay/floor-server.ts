/**
 * The floor: a bare `ws` server. It sends back what it gets, and what begins with 1 it passes to everybody else. No identity,
 * no order, no storage.
 */
import { WebSocketServer } from 'ws'

const FOR_ALL = 1

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
server.on('connection', (socket) =>
  socket.on('message', (data) => {
    socket.send(data)
    if (!Buffer.isBuffer(data) || data[0] !== FOR_ALL) return
    for (const other of server.clients) if (other !== socket) other.send(data)
  }),
)
server.on('listening', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) process.send?.({ kind: 'listening', url: `ws://127.0.0.1:${address.port}` })
})
process.once('disconnect', () => process.exit())
