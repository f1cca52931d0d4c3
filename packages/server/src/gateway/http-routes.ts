/**
 * The contract's routes as Fastify routes: identify the caller, decode what came with the contract's schemas, call the
 * room's handler, encode its result. The loop is over the contract's table, so there is no route without one.
 */
import { Refusal, routes, type Access, type AccountId, type DeviceId, type RouteSpec, type SessionId } from '@tacit/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { AccountCaller, Caller, DeviceCaller, HouseHandlers } from './caller.ts'
import { malformedField } from './problem.ts'

/** Answers for an access token; undefined if it is not (or no longer) good. */
export type Authenticate = (accessToken: string) => Promise<Identity | undefined>
export interface Identity {
  readonly account: AccountId
  readonly session: SessionId
  /** Null until the session has enrolled a device. */
  readonly device: DeviceId | null
}

const BEARER = /^Bearer ([A-Za-z0-9_-]{43})$/

type AnyHandler = (call: never) => Promise<unknown>

/** A route of the contract with its name, for logs, metrics and access tests. */
export interface NamedRoute {
  /** `room.verb` */
  readonly name: string
  readonly spec: RouteSpec
}

export const namedRoutes: readonly NamedRoute[] = Object.entries(routes).flatMap(([room, specs]) =>
  Object.entries<RouteSpec>(specs).map(([verb, spec]) => ({ name: `${room}.${verb}`, spec })),
)

export function registerRoutes(
  app: FastifyInstance,
  { handlers, authenticate }: { handlers: HouseHandlers; authenticate: Authenticate },
): void {
  const table: Readonly<Record<string, Readonly<Record<string, AnyHandler>>>> = handlers
  for (const { name, spec } of namedRoutes) {
    const [room = '', verb = ''] = name.split('.')
    const handler = table[room]?.[verb]
    if (!handler) throw new TypeError(`no handler for ${name}`)
    registerRoute({ app, name, spec, handler, authenticate })
  }
}

interface Registration extends NamedRoute {
  readonly app: FastifyInstance
  readonly handler: AnyHandler
  readonly authenticate: Authenticate
}

function registerRoute({ app, name, spec, handler, authenticate }: Registration): void {
  const callers = new WeakMap<FastifyRequest, Caller>()
  app.route({
    method: spec.method,
    url: spec.path,
    exposeHeadRoute: false,
    config: { name },
    onRequest: async (request) => void callers.set(request, await identify(request, spec.access, authenticate)),
    handler: async (request, reply) => {
      const input = { params: decode(spec.params, request.params), query: decodeQuery(spec, request), body: decodeBody(spec, request) }
      // The mapped type HouseHandlers tied this handler to this very route; the loop over the table loses that tie.
      const result = await handler({ ...input, caller: callers.get(request) } as never)
      reply.code(spec.status)
      beside[name]?.(reply, result)
      if (spec.status === 204) return reply.send()
      return reply.type('application/json; charset=utf-8').send(JSON.stringify(z.encode(spec.result, result)))
    },
  })
}

/** What HTTP says beside the result, for the two routes where it says more. */
const beside: Readonly<Record<string, (reply: FastifyReply, result: unknown) => void>> = {
  'sessions.signOut': (reply) => void reply.header('clear-site-data', '"cache", "storage"'),
  /** Load balancers read the status, people the body. */
  'system.ready': (reply, result) => void (isNotReady(result) && reply.code(503)),
}

const isNotReady = (result: unknown): boolean =>
  typeof result === 'object' && result !== null && 'status' in result && result.status === 'not_ready'

async function identify(request: FastifyRequest, access: Access, authenticate: Authenticate): Promise<Caller> {
  const address = request.ip
  if (access === 'anyone') return { kind: 'anyone', address }
  const token = BEARER.exec(request.headers.authorization ?? '')?.[1]
  const identity = token ? await authenticate(token) : undefined
  if (!identity) throw new Refusal('unauthenticated')
  const { account, session, device } = identity
  if (device !== null) return { kind: 'device', address, account, session, device } satisfies DeviceCaller
  if (access === 'device') throw new Refusal('device_needed')
  return { kind: 'account', address, account, session } satisfies AccountCaller
}

function decode(schema: z.core.$ZodType | undefined, value: unknown): unknown {
  if (!schema) return undefined
  const parsed = z.safeParse(schema, value)
  if (parsed.success) return parsed.data
  throw malformedField(parsed.error.issues[0]?.path ?? [])
}

/** Query parameters, each at most once: two readers of a repeated one could disagree (B-024). */
function decodeQuery(spec: RouteSpec, request: FastifyRequest): unknown {
  const at = request.raw.url?.indexOf('?') ?? -1
  const pairs = at === -1 ? [] : [...new URLSearchParams(request.raw.url?.slice(at + 1))]
  const names = new Set(pairs.map(([name]) => name))
  if (names.size !== pairs.length || (!spec.query && pairs.length > 0)) throw new Refusal('malformed')
  return decode(spec.query, Object.fromEntries(pairs))
}

function decodeBody(spec: RouteSpec, request: FastifyRequest): unknown {
  if (spec.body) return decode(spec.body, request.body)
  if (request.body !== undefined && request.body !== null) throw new Refusal('malformed')
  return undefined
}
