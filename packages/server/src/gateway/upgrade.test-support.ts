/** Upgrade requests and how they are answered. */
import { request as httpRequest } from 'node:http'
import { SOCKET_PATH, SUBPROTOCOL, type Problem } from '@tacit/contract'

/** The status, name and headers with which an upgrade is refused; 101 if it is not. */
export function upgradeOutcome(url: string, options: { headers?: Record<string, string>; protocols?: string[]; origin?: string } = {}) {
  const { headers = {}, protocols = [SUBPROTOCOL], origin } = options
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; name?: string; retryAfter: number }>()
  const upgrade = httpRequest(url + SOCKET_PATH, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      ...(protocols.length > 0 && { 'sec-websocket-protocol': protocols.join(', ') }),
      ...(origin !== undefined && { origin }),
      ...headers,
    },
  })
  upgrade.once('upgrade', (response, socket) => {
    socket.destroy()
    resolve({ status: response.statusCode ?? 0, retryAfter: 0 })
  })
  upgrade.once('response', (response) => {
    response.setEncoding('utf8')
    let text = ''
    response.on('data', (chunk: string) => (text += chunk))
    response.once('end', () => {
      const { name } = JSON.parse(text) as Problem
      resolve({ status: response.statusCode ?? 0, name, retryAfter: Number(response.headers['retry-after'] ?? 0) })
    })
  })
  upgrade.once('error', reject)
  upgrade.end()
  return promise
}
