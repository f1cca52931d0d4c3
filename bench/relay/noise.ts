/** An account that wants more than its share: eight devices that send as fast as they can, and come back when they are thrown out. */
import { CONTRACT_VERSION, encodeCommand, SOCKET_PATH, SUBPROTOCOL } from '@tacit/contract'
import { WebSocket } from 'ws'
import { addressOf, sealedMessage } from './client.ts'
import type { Assignment } from './talk.ts'
import type { BenchDevice } from './world.ts'

/** Up to the largest that a message may be. */
const SIZES = [300, 4_000, 60_000]

/** What a device hurls at the server before it looks around, and how often, milliseconds. */
const VOLLEY = 50
const EVERY = 20

/** Goes on until its process ends. */
export function makeNoise({ url, devices }: Assignment): void {
  // From one address, as from one house.
  for (const self of devices) rage(url, { ...self, address: devices[0]?.address ?? self.address })
}

function rage(url: string, self: BenchDevice): void {
  const socket = new WebSocket(url + SOCKET_PATH, SUBPROTOCOL, { perMessageDeflate: false, headers: addressOf(self) })
  // Made once: whoever is noisy would not spend their time on that.
  const sealed = SIZES.map((size) => sealedMessage(self.conversation, size))
  let clientSeq = 0
  let timer: NodeJS.Timeout | undefined
  socket.on('open', () => {
    socket.send(encodeCommand({ ref: 0, name: 'connection.hello', body: { accessToken: self.token, contract: CONTRACT_VERSION } }))
    socket.send(encodeCommand({ ref: 1, name: 'delivery.resume', body: { cursors: [] } }))
    timer = setInterval(() => {
      for (let at = 0; at < VOLLEY; at++) {
        clientSeq += 1
        const { conversation } = self
        const bytes = sealed[clientSeq % sealed.length] ?? new Uint8Array(0)
        socket.send(encodeCommand({ ref: clientSeq + 1, name: 'delivery.send', body: { conversation, epoch: 1, clientSeq, bytes } }))
      }
    }, EVERY)
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    clearInterval(timer)
    setTimeout(() => rage(url, self), EVERY)
  })
}
