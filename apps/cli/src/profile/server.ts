/** The address of a server, as a person types it. */
import { CliFailure } from '../failures.ts'

const LOCAL = /^(localhost|127(\.\d+){3}|\[::1\])$/

/** The origin of a server: `https://chat.example`. Throws `CliFailure` for what cannot be one. */
export function parseServer(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const known = url && (url.protocol === 'https:' || url.protocol === 'http:')
  const bare = url && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  if (known && bare) return url.origin
  throw new CliFailure('usage', '--server must be an address such as https://chat.example, with nothing after the host and port.')
}

/** Whether what is said to this server travels in clear through a network: content stays sealed, but sessions could be stolen. */
export function isExposed(server: string): boolean {
  const { protocol, hostname } = new URL(server)
  return protocol === 'http:' && !LOCAL.test(hostname)
}
