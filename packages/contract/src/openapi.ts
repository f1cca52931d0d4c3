/**
 * The routes as an OpenAPI 3.1 document, and the fingerprint of everything that is said on the wire. Both are derived from
 * the contract's tables; nothing is described by hand.
 */
import { z } from 'zod'
import { commands, events, routes } from './contract.ts'
import { failures, Problem, type FailureName } from './failures.ts'
import { limits } from './limits.ts'
import { CONTRACT_VERSION } from './version.ts'
import { commonFailures, type CommandSpec, type EventSpec, type RouteSpec } from './vocabulary.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type JsonObject = { readonly [key: string]: Json }

/** Refusals of the door itself, before a route is reached. */
const doorFailures = [
  'token_in_url',
  'origin_refused',
  'unsupported_media',
  'misdirected',
  'headers_too_large',
] as const satisfies FailureName[]

/** An OpenAPI 3.1 document of every route, with every refusal. */
export function openApiDocument(): JsonObject {
  const paths: Record<string, Record<string, Json>> = {}
  for (const { room, verb, spec } of everyRoute()) {
    const path = spec.path.replaceAll(/:([a-z]+)/g, '{$1}')
    paths[path] = { ...paths[path], [spec.method.toLowerCase()]: operation({ room, verb, spec }) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tacit',
      version: String(CONTRACT_VERSION),
      description:
        'The requests of a Tacit server. Messages travel over the WebSocket at /v1/socket in CBOR frames. ' +
        'Everything named bytes is sealed on a device; the server cannot read it.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: Object.keys(routes).map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { session: { type: 'http', scheme: 'bearer', description: 'The access token of a session.' } },
      schemas: { Problem: schemaOf(Problem) },
    },
  }
}

/** SHA-256 over the shapes of all routes, commands and events, the limits and the names of refusals, as hex. */
export async function contractFingerprint(): Promise<string> {
  const said = JSON.stringify({
    routes: everyRoute().map(({ room, verb, spec }) => ({
      name: `${room}.${verb}`,
      ...pick(spec),
      ...shapes({ params: spec.params, query: spec.query, body: spec.body, result: spec.result }),
    })),
    commands: entries<CommandSpec>(commands).map(({ room, verb, spec }) => ({
      name: `${room}.${verb}`,
      code: spec.code,
      access: spec.access,
      failures: spec.failures,
      ...shapes({ body: spec.body, result: spec.result }),
    })),
    events: entries<EventSpec>(events).map(({ room, verb, spec }) => ({
      name: `${room}.${verb}`,
      code: spec.code,
      ...shapes({ body: spec.body }),
    })),
    failures: Object.entries(failures).map(([name, { status }]) => [name, status]),
    limits,
  })
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(said))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

const pick = ({ method, path, access, status, failures: names }: RouteSpec) => ({ method, path, access, status, failures: names })

interface NamedSpec<S> {
  readonly room: string
  readonly verb: string
  readonly spec: S
}

const everyRoute = (): NamedSpec<RouteSpec>[] => entries<RouteSpec>(routes)

function entries<S>(rooms: Readonly<Record<string, Readonly<Record<string, S>>>>): NamedSpec<S>[] {
  return Object.entries(rooms).flatMap(([room, verbs]) => Object.entries(verbs).map(([verb, spec]) => ({ room, verb, spec })))
}

/** In the order of their fields, which is the order on the socket. */
const shapes = (schemas: Record<string, z.core.$ZodType | undefined>): Record<string, Json> =>
  Object.fromEntries(Object.entries(schemas).flatMap(([name, schema]) => (schema ? [[name, schemaOf(schema)]] : [])))

/**
 * `io: input` is the wire's side of a codec. Raw bytes have no JSON shape; their bounds are in `limits`. References point
 * into the schema itself, which is lost once it is part of a document; the only recursive shape is "any JSON", so an empty
 * schema says the same.
 */
function schemaOf(schema: z.core.$ZodType): JsonObject {
  const { $schema: _, ...shape } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return JSON.parse(JSON.stringify(shape), (key, value: unknown) => {
    if (key === '$defs') return undefined
    return typeof value === 'object' && value !== null && '$ref' in value ? {} : value
  }) as JsonObject
}

function operation({ room, verb, spec }: NamedSpec<RouteSpec>): JsonObject {
  const parameters = [...parametersOf('path', spec.params), ...parametersOf('query', spec.query)]
  return {
    operationId: `${room}.${verb}`,
    tags: [room],
    summary: spec.summary,
    description: accessSentence[spec.access],
    security: spec.access === 'anyone' ? [] : [{ session: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(spec.body && { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(spec.body) } } } }),
    responses: { [spec.status]: success(spec), ...refusals(spec) },
  }
}

const accessSentence = {
  anyone: 'Anybody may call this.',
  account: 'Needs a session.',
  device: 'Needs a session that is bound to a device.',
} as const satisfies Record<RouteSpec['access'], string>

function parametersOf(place: 'path' | 'query', schema: z.core.$ZodType | undefined): JsonObject[] {
  if (!schema) return []
  const { properties = {}, required = [] } = schemaOf(schema) as { properties?: Record<string, Json>; required?: string[] }
  return Object.entries(properties).map(([name, shape]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: shape,
  }))
}

function success(spec: RouteSpec): JsonObject {
  if (spec.status === 204) return { description: 'Done.' }
  return { description: 'Done.', content: { 'application/json': { schema: schemaOf(spec.result) } } }
}

function refusals(spec: RouteSpec): Record<string, JsonObject> {
  const names = [...new Set<FailureName>([...spec.failures, ...commonFailures, ...doorFailures])]
  const byStatus = Map.groupBy(names, (name) => failures[name].status)
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  return Object.fromEntries(
    [...byStatus]
      .toSorted(([left], [right]) => left - right)
      .map(([status, those]) => [
        String(status),
        { description: those.map((name) => `${name}: ${failures[name].title}`).join(' '), content },
      ]),
  )
}
