/**
 * What every request must pass before a handler sees it, cheapest first: shape of the request line and headers, host,
 * origin, address budget. A body is read only afterwards.
 */
import { Refusal } from '@tacit/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { COME_BACK_AFTER, type LoopLag } from '../loop-lag.ts'
import { addressKey, type Limits } from './limits.ts'
import type { Origins } from './origins.ts'
import { isOfTheApp } from './web-app.ts'

const MAX_HEADERS = 100
const MAX_URL = 4096

/** Shape of our tokens: 256 bits in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/
const TOKEN_NAME = /token|authorization|bearer|secret|password/i
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
const ALLOWED_METHODS = 'GET, POST, PUT, PATCH, DELETE'

export interface AdmissionDeps {
  readonly lag: Pick<LoopLag, 'shedding'>
  readonly origins: Origins
  readonly limits: Limits
}

/** Throws a refusal, or lets the request pass and marks the answer for its origin. */
export async function admit(request: FastifyRequest, reply: FastifyReply, { origins, limits, lag }: AdmissionDeps): Promise<void> {
  const { raw, headers } = request
  allowOrigin(request, reply, origins)
  if (raw.rawHeaders.length / 2 > MAX_HEADERS) throw new Refusal('headers_too_large')
  const url = raw.url ?? ''
  if (url.length > MAX_URL) throw new Refusal('uri_too_long')
  if (!url.startsWith('/')) throw new Refusal('misdirected')
  const isProbe = url.startsWith('/health/')
  if (!isProbe && !origins.answersFor(headers.host)) throw new Refusal('misdirected')
  // A page that lacks one of its scripts stays blank and does not come back by itself; a file costs next to nothing.
  const isFile = isOfTheApp(request)
  if (!isProbe && !isFile && lag.shedding === 'work') throw new Refusal('unavailable', { retryAfter: COME_BACK_AFTER })
  refuseTokenInUrl(url)
  if (headers['content-encoding'] !== undefined) throw new Refusal('unsupported_media')
  refuseForeignOrigin(request, origins)
  await limits.spend(isFile ? 'file' : 'request', addressKey(request.ip))
}

/** CORS (Fetch standard): an answer names the origin only if it may read it. There are no cookies, hence no credentials. */
function allowOrigin(request: FastifyRequest, reply: FastifyReply, origins: Origins): void {
  const { origin } = request.headers
  reply.header('vary', 'Origin')
  if (!origin || !origins.allows(origin)) return
  reply.header('access-control-allow-origin', origin)
  reply.header('access-control-expose-headers', 'Retry-After, X-Request-Id')
  if (request.method !== 'OPTIONS') return
  reply.header('access-control-allow-methods', ALLOWED_METHODS)
  reply.header('access-control-allow-headers', 'Authorization, Content-Type')
  reply.header('access-control-max-age', '600')
}

/** Tokens in a URL end up in histories and logs of proxies, so a client that does this must hear of it. */
function refuseTokenInUrl(url: string): void {
  const at = url.indexOf('?')
  if (at === -1) return
  for (const [name, value] of new URLSearchParams(url.slice(at + 1))) {
    if (TOKEN_NAME.test(name) || TOKEN.test(value)) throw new Refusal('token_in_url')
  }
}

function refuseForeignOrigin({ method, headers }: FastifyRequest, origins: Origins): void {
  if (SAFE_METHODS.has(method)) return
  if (headers.origin !== undefined && !origins.allows(headers.origin)) throw new Refusal('origin_refused')
}
