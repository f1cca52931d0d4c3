/** The floor: a bare `ws` server that sends back what it gets. No identity, no order, no storage. */
import { WebSocketServer } from 'ws'

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false, clientTracking: false })
server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
server.on('listening', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) process.send?.({ kind: 'listening', url: `ws://127.0.0.1:${address.port}` })
})
process.once('disconnect', () => process.exit())
