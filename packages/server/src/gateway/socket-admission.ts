/**
 * Which upgrade requests become sockets. Decided from the request's head alone, before anything is allocated for it:
 * path, website, protocol, and how many sockets its address already has. There are no cookies; the first frame says who it is.
 */
import type { IncomingMessage } from 'node:http'
import { SOCKET_PATH, SUBPROTOCOL, type FailureName } from '@tacit/contract'
import { addressKey } from './limits.ts'
import type { Origins } from './origins.ts'
import type { SocketLimits } from './socket-limits.ts'
import { TokenBuckets } from './token-bucket.ts'

export type Admission =
  | { readonly kind: 'admit'; readonly address: string }
  | { readonly kind: 'refuse'; readonly failure: FailureName; readonly retryAfter?: number }

interface AddressUse {
  opening: number
  sockets: number
  /** Refusals since it last was quiet: each doubles the wait. */
  refusals: number
  blockedUntil: number
}

const LONGEST_WAIT = 300

/** An address must keep quiet for so long after a refusal until the next one counts as its first, milliseconds. */
const QUIET = 60_000

export interface SocketAdmissionDeps {
  readonly origins: Origins
  readonly limits: SocketLimits
  address(request: IncomingMessage): string
}

export class SocketAdmission {
  readonly #deps: SocketAdmissionDeps
  readonly #handshakes: TokenBuckets<string>
  readonly #uses = new Map<string, AddressUse>()

  constructor(deps: SocketAdmissionDeps) {
    this.#deps = deps
    this.#handshakes = new TokenBuckets(deps.limits.handshakes)
  }

  /** `now` in milliseconds. What is admitted counts at once; give it back with `left`. */
  judge(request: IncomingMessage, now: number): Admission {
    const failure = this.#unfit(request)
    if (failure) return { kind: 'refuse', failure }
    const address = addressKey(this.#deps.address(request))
    const use = this.#use(address)
    const wait = this.#wait(address, use, now)
    if (wait > 0) return { kind: 'refuse', failure: 'rate_limited', retryAfter: Math.ceil(wait) }
    use.opening += 1
    use.sockets += 1
    return { kind: 'admit', address }
  }

  /** The socket said a good hello. */
  opened(address: string): void {
    this.#use(address).opening -= 1
  }

  left(address: string, { opened }: { opened: boolean }): void {
    const use = this.#use(address)
    use.sockets -= 1
    if (!opened) use.opening -= 1
  }

  /** Forgets addresses that have no socket and were quiet for long enough. */
  prune(now: number): void {
    for (const [address, use] of this.#uses) {
      if (use.blockedUntil + (use.refusals > 0 ? QUIET : 0) > now || !this.#handshakes.isFull(address, now)) continue
      use.refusals = 0
      if (use.sockets === 0) this.#uses.delete(address)
    }
    this.#handshakes.prune(now)
  }

  #unfit({ url = '', method, headers }: IncomingMessage): FailureName | undefined {
    if (url !== SOCKET_PATH || method !== 'GET') return url.startsWith(`${SOCKET_PATH}?`) ? 'token_in_url' : 'not_found'
    if (!this.#deps.origins.answersFor(headers.host)) return 'misdirected'
    if (!this.#fromAllowedPage(headers)) return 'origin_refused'
    const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
    if (offered.includes(SUBPROTOCOL)) return undefined
    return offered.some((name) => name.startsWith('tacit.')) ? 'client_too_old' : 'malformed'
  }

  /**
   * Browsers always send Origin; a request without it that has their other marks hides where it comes from. Node’s own
   * WebSocket sends Sec-Fetch-Mode and no Origin, so that one says nothing.
   */
  #fromAllowedPage(headers: IncomingMessage['headers']): boolean {
    if (headers.origin !== undefined) return this.#deps.origins.allows(headers.origin)
    return headers.cookie === undefined && headers['sec-fetch-site'] === undefined
  }

  /** Seconds to wait, 0 for none. */
  #wait(address: string, use: AddressUse, now: number): number {
    const { limits } = this.#deps
    if (use.blockedUntil > now) return (use.blockedUntil - now) / 1000
    const crowded = use.sockets >= limits.perAddress || use.opening >= limits.openingPerAddress
    const wait = crowded ? 1 : this.#handshakes.take(address, now)
    if (wait === 0) return 0
    const delay = Math.min(LONGEST_WAIT, Math.max(1, wait) * 2 ** Math.min(use.refusals, 16))
    use.refusals += 1
    use.blockedUntil = now + delay * 1000
    return delay
  }

  #use(address: string): AddressUse {
    const known = this.#uses.get(address)
    if (known) return known
    const use = { opening: 0, sockets: 0, refusals: 0, blockedUntil: 0 }
    this.#uses.set(address, use)
    return use
  }
}
