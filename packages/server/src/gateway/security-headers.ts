/**
 * Headers that every answer carries. The content policy is the web app's strictest that works: own scripts and styles
 * only, no inline code, WebAssembly for the local database, Trusted Types.
 */
import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'
import type { Settings } from '../settings.ts'
import type { Origins } from './origins.ts'

const SELF = "'self'"
const NONE = "'none'"

/** Directives of the web app's policy. The socket is named: not every browser lets `'self'` match ws: of the own origin. */
const webAppPolicy = (origins: Origins) => ({
  defaultSrc: [NONE],
  scriptSrc: [SELF, "'wasm-unsafe-eval'"],
  styleSrc: [SELF],
  imgSrc: [SELF, 'blob:', 'data:'],
  fontSrc: [SELF],
  connectSrc: [SELF, () => origins.own().replace(/^http/, 'ws')],
  workerSrc: [SELF],
  manifestSrc: [SELF],
  baseUri: [NONE],
  formAction: [NONE],
  frameAncestors: [NONE],
  objectSrc: [NONE],
  requireTrustedTypesFor: ["'script'"],
  trustedTypes: ['app'],
})

/** The reference page's viewer writes its own style elements and compiles templates; it still loads nothing from elsewhere. */
export const referencePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; " +
  "connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const YEAR_SECONDS = 31_536_000

/** HSTS only when this server itself, or the public URL, speaks TLS: on plain localhost it would lock people out. */
export async function registerSecurityHeaders(
  app: FastifyInstance,
  { settings, origins }: { settings: Settings; origins: Origins },
): Promise<void> {
  const tls = settings.tlsCertificate !== '' || settings.publicUrl.startsWith('https:')
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: webAppPolicy(origins) },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginEmbedderPolicy: { policy: 'require-corp' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: tls ? { maxAge: YEAR_SECONDS, includeSubDomains: false } : false,
    xPoweredBy: true,
  })
  app.addHook('onRequest', async (_request, reply) => {
    reply.header(
      'permissions-policy',
      'camera=(self), microphone=(), geolocation=(), payment=(), usb=(), publickey-credentials-get=(self), publickey-credentials-create=(self)',
    )
    reply.header('cache-control', 'no-store')
  })
}
