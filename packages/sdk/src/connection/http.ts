/**
 * Requests over HTTP, derived from the contract's routes: arguments are encoded and answers parsed by its schemas. What is
 * refused is thrown as `Refusal`, no answer as `Unreachable`; an answer of another shape counts as no answer, because
 * whoever gave it is not our server.
 */
import { limits, Problem, Refusal, type RouteInput, type RouteResult, type RouteSpec } from '@tacit/contract'
import type { Network } from '../surroundings.ts'
import { Unreachable } from '../trouble.ts'

/** Characters: the largest tree in base64url, and what is around it. */
const LONGEST_ANSWER = 1.5 * limits.ratchetTree

type Part = 'params' | 'query' | 'body'

/** The parts that a route takes, each as the contract has it. */
export type Arguments<R extends RouteSpec> = {
  readonly [P in Part as RouteInput<R>[P] extends undefined ? never : P]: RouteInput<R>[P]
}

export interface Server {
  /** Origin, without a slash at the end. */
  readonly url: string
  readonly network: Network
}

/** Calls a route once, with this token or none. */
export async function callRoute<R extends RouteSpec>(
  server: Server,
  call: { readonly route: R; readonly given: Arguments<R>; readonly token?: string | undefined },
): Promise<RouteResult<R>> {
  const { route } = call
  const given: Partial<Record<Part, unknown>> = call.given
  const answer = await send(server, {
    url: server.url + fillPath(route.path, given.params) + queryText(given.query),
    init: {
      method: route.method,
      headers: { ...(route.body && { 'content-type': 'application/json' }), ...(call.token && { authorization: `Bearer ${call.token}` }) },
      ...(route.body && { body: JSON.stringify(coder(route.body).encode(given.body)) }),
    },
  })
  if (answer.status !== route.status) throw refusalIn(answer)
  const read = coder(route.result).safeParse(route.status === 204 ? null : answer.json)
  if (!read.success) throw new Unreachable('the answer is not of the contract')
  return read.data as RouteResult<R>
}

interface Answer {
  readonly status: number
  readonly json: unknown
}

async function send({ network }: Server, request: { url: string; init: RequestInit }): Promise<Answer> {
  try {
    const response = await network.fetch(request.url, {
      ...request.init,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
    })
    const text = await response.text()
    if (text.length > LONGEST_ANSWER) throw new Unreachable('the answer is too large')
    return { status: response.status, json: text === '' ? undefined : JSON.parse(text) }
  } catch (error) {
    throw error instanceof Unreachable ? error : new Unreachable('no answer', { cause: error })
  }
}

function refusalIn(answer: Answer): Error {
  const problem = Problem.safeParse(answer.json).data
  return problem ? new Refusal(problem.name, problem.details) : new Unreachable(`answer with status ${answer.status}`)
}

function fillPath(path: string, params: unknown): string {
  const values = new Map(Object.entries(params ?? {}))
  return path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(values.get(name))))
}

function queryText(query: unknown): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined)
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`
}

/** What every schema of the contract can do; its tables promise only zod's core type, which lacks the methods. */
interface Coder {
  encode(value: unknown): unknown
  safeParse(value: unknown): { readonly success: true; readonly data: unknown } | { readonly success: false }
}

function coder(schema: object): Coder {
  if (!isCoder(schema)) throw new TypeError('a schema of the contract without methods')
  return schema
}

const isCoder = (schema: object): schema is Coder => 'encode' in schema && 'safeParse' in schema
