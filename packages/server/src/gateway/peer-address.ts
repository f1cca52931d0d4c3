/**
 * Who is at the other end of an upgrade request. Behind proxies that the operator trusts it is the nearest address in
 * X-Forwarded-For that is none of them; from anybody else that header means nothing.
 */
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

/** Reads the address of requests. `trusted`: addresses or networks such as 10.0.0.0/8. */
export function peerAddresses(trusted: readonly string[]): (request: IncomingMessage) => string {
  const proxies = new BlockList()
  for (const network of trusted) addNetwork(proxies, network)
  const isProxy = (address: string): boolean => proxies.check(plain(address), family(plain(address)))

  return (request) => {
    let address = plain(request.socket.remoteAddress ?? '')
    if (trusted.length === 0) return address
    const forwarded = String(request.headers['x-forwarded-for'] ?? '')
      .split(',')
      .map((one) => plain(one.trim()))
      .filter((one) => isIP(one) !== 0)
    while (isProxy(address)) {
      const next = forwarded.pop()
      if (next === undefined) break
      address = next
    }
    return address
  }
}

function addNetwork(proxies: BlockList, network: string): void {
  const [address = '', prefix] = network.split('/', 2)
  if (isIP(address) === 0) return
  if (prefix === undefined) proxies.addAddress(address, family(address))
  else proxies.addSubnet(address, Number(prefix), family(address))
}

const plain = (address: string): string => (address.startsWith('::ffff:') ? address.slice(7) : address)
const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')
