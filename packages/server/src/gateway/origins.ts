/**
 * Which websites may speak to the server and for which hosts it answers. The server's own origin always may; others by
 * the settings. The port is known only after listening, hence functions.
 */
import type { Settings } from '../settings.ts'

export interface Origins {
  /** The origin that people use: the public URL, or localhost with the port in use. */
  own(): string
  /** Origins whose pages may call the API, open the socket and use passkeys. */
  all(): readonly string[]
  allows(origin: string): boolean
  /** Whether a request with this Host header is for us. Without a public URL any host is. */
  answersFor(host: string | undefined): boolean
  /** Called once, when the port is known. */
  listensOn(port: number): void
}

export function createOrigins(settings: Settings): Origins {
  const scheme = settings.tlsCertificate ? 'https' : 'http'
  let port = settings.port
  const own = () => settings.publicUrl || `${scheme}://localhost:${port}`
  const local = () => (settings.publicUrl ? [] : [`${scheme}://127.0.0.1:${port}`, `${scheme}://[::1]:${port}`])
  const all = () => [own(), ...local(), ...settings.allowedOrigins]
  return {
    own,
    all,
    allows: (origin) => all().includes(origin),
    answersFor: (host) => settings.publicUrl === '' || host?.toLowerCase() === new URL(settings.publicUrl).host,
    listensOn(actual) {
      port = actual
    },
  }
}
