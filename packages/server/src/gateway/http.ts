/**
 * The HTTP door: one Fastify server for the API, the web app and the reference page, with the limits that keep a public
 * server standing. It decodes, identifies, budgets and dispatches; no rule of a room lives here.
 */
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, STATUS_CODES, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { limits as sizes, Refusal, type FailureName } from '@tacit/contract'
import { fastify, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { faultFields, type Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Random } from '../random.ts'
import type { Settings } from '../settings.ts'
import type { HouseHandlers } from './caller.ts'
import { admit, type AdmissionDeps } from './http-admission.ts'
import { namedRoutes, registerRoutes, type Authenticate } from './http-routes.ts'
import { PROBLEM_TYPE, problemOf, refusalFor } from './problem.ts'
import { registerReference } from './reference.ts'
import { registerSecurityHeaders } from './security-headers.ts'
import { parseStrictJson } from './strict-json.ts'
import { registerWebApp } from './web-app.ts'

export interface HttpGatewayDeps extends AdmissionDeps {
  readonly settings: Settings
  readonly handlers: HouseHandlers
  readonly authenticate: Authenticate
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
  /** The server is draining. */
  readonly isStopping: () => boolean
}

const SECOND = 1000

/** The server, routes registered, not yet listening. */
export async function createHttpGateway(deps: HttpGatewayDeps): Promise<FastifyInstance> {
  const app = createApp(deps)
  registerStrictJson(app)
  await registerSecurityHeaders(app, deps)
  registerAnswers(app, deps)
  registerRoutes(app, deps)
  registerReference(app)
  await registerWebApp(app, deps)
  await app.ready()
  return app
}

function createApp({ settings, random }: HttpGatewayDeps): FastifyInstance {
  return fastify({
    logger: false,
    bodyLimit: sizes.jsonBody,
    serverFactory: (handler) => createServer(settings, handler),
    forceCloseConnections: 'idle',
    trustProxy: settings.trustedProxies.length > 0 ? [...settings.trustedProxies] : false,
    requestIdHeader: false,
    genReqId: () => random.id(),
    clientErrorHandler: (error, socket) => answerRaw(socket, unreadable(error.code), random.id()),
    frameworkErrors: (error, request, reply) => void sendProblem(request, reply, refusalFor(error) ?? new Refusal('malformed')),
    routerOptions: { maxParamLength: 8192, caseSensitive: true, ignoreTrailingSlash: false },
    return503OnClosing: true,
  })
}

/** Bounds of Node's parser (L-01, B-005, B-007, B-008): a request that trickles in is cut off. */
const parserOf = ({ requestSeconds }: Settings) => ({
  maxHeaderSize: 16 * 1024,
  headersTimeout: Math.min(8, requestSeconds) * SECOND,
  requestTimeout: requestSeconds * SECOND,
  keepAliveTimeout: 65 * SECOND,
  connectionsCheckingInterval: Math.min(2, requestSeconds / 2) * SECOND,
  insecureHTTPParser: false,
})

function createServer(settings: Settings, handler: RequestListener): Server {
  const parser = parserOf(settings)
  if (!settings.tlsCertificate) return createHttpServer(parser, handler)
  const tls = { cert: readFileSync(settings.tlsCertificate), key: readFileSync(settings.tlsKey), minVersion: 'TLSv1.2' } as const
  return createHttpsServer({ ...parser, ...tls }, handler)
}

/** JSON is the only kind of body; anything else is refused before it is read (B-017). */
function registerStrictJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseStrictJson(Buffer.from(body)))
    } catch {
      done(new Refusal('malformed'))
    }
  })
}

function registerAnswers(app: FastifyInstance, deps: HttpGatewayDeps): void {
  const { log, metrics } = deps
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    await admit(request, reply, deps)
  })
  app.addHook('onSend', async (_request, reply) => {
    // A connection that stays open after its last answer would hold up the stop.
    if (deps.isStopping()) reply.header('connection', 'close')
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = routeName(request)
    metrics.request({ route, status: reply.statusCode, seconds: reply.elapsedTime / SECOND })
    log('request', { requestId: request.id, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) })
  })
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const refusal = refusalFor(error)
    if (!refusal) log('fault', { requestId: request.id, where: routeName(request), ...faultFields(error) })
    return sendProblem(request, reply, refusal ?? new Refusal('internal'))
  })
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, missing(request, reply)))
}

const routeName = (request: FastifyRequest): string => {
  const { config } = request.routeOptions
  return 'name' in config && typeof config.name === 'string' ? config.name : 'other'
}

/** Sends the refusal and what HTTP wants beside it. */
function sendProblem(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  const problem = problemOf({ refusal, requestId: request.id })
  if (refusal.details.retryAfter !== undefined) reply.header('retry-after', String(refusal.details.retryAfter))
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  if (problem.status === 413 || problem.status === 408) reply.header('connection', 'close')
  reply.headers({ 'x-request-id': request.id, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' })
  return reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem))
}

/** A path that exists with other methods is 405 with `Allow` (RFC 9110 section 15.5.6); everything else is 404. */
function missing(request: FastifyRequest, reply: FastifyReply): Refusal {
  const path = request.url.split('?', 1)[0] ?? ''
  const methods = namedRoutes.filter(({ spec }) => pathPattern(spec.path).test(path)).map(({ spec }) => spec.method)
  if (methods.length === 0 && (request.method === 'GET' || request.method === 'HEAD')) return new Refusal('not_found')
  if (methods.length > 0) reply.header('allow', [...new Set(methods)].join(', '))
  return new Refusal(methods.length > 0 || request.method === 'TRACE' ? 'method_not_allowed' : 'not_found')
}

const pathPattern = (path: string): RegExp => new RegExp(`^${path.replaceAll(/:[a-z]+/g, '[^/]+')}$`)

/** What Node's HTTP parser or its timers refused. */
function unreadable(code: string): FailureName {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large'
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'timed_out'
  return code === 'HPE_INVALID_METHOD' ? 'method_not_allowed' : 'malformed'
}

/** There is no request object for these, only a socket: write the answer by hand and close. */
function answerRaw(socket: Socket, failure: FailureName, requestId: string): void {
  if (!socket.writable) return void socket.destroy()
  const problem = problemOf({ refusal: new Refusal(failure), requestId })
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
