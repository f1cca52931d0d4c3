/**
 * What page and worker, and the workers of several tabs, say to each other. A page numbers its calls and names its watches;
 * whichever worker leads answers. Between workers every message says who sent it, for whom, and which version it speaks.
 *
 * All of it stays inside one origin, and within one version both ends are the same build: the readers below keep out what
 * is not ours and trust the arguments inside.
 */
import { MessengerError, type MessengerFailure } from '../api.ts'
import { isTopic, isVerb, type PageTopic, type VerbName } from './verbs.ts'

/** Raise it when a message, a verb or a snapshot changes: the tab with the newer code takes over from the older one. */
export const protocolVersion = 5

/** From a page to the leader. A page takes the next snapshot of a watch after it has `seen` the one before. */
export type Request =
  | { readonly type: 'call'; readonly id: string; readonly verb: VerbName; readonly request: unknown }
  | { readonly type: 'watch'; readonly key: string; readonly topic: PageTopic; readonly param?: string | undefined }
  | { readonly type: 'unwatch'; readonly key: string }
  | { readonly type: 'seen'; readonly key: string }

/** From the leader to a page. */
export type Reply =
  | { readonly type: 'done'; readonly id: string; readonly value: unknown }
  | { readonly type: 'failed'; readonly id: string; readonly error: PlainError }
  | { readonly type: 'snapshot'; readonly key: string; readonly value: unknown }
  /** The device could not be opened; calls will say so, too. */
  | { readonly type: 'trouble'; readonly error: PlainError }

/** Only from a page to its own worker. */
export type FromPage =
  | Request
  /** Whether this browser is believed to hold a device, which decides if an empty store is a loss; and which one it held last. */
  | { readonly type: 'remember'; readonly device: boolean; readonly slot?: string }
  | { readonly type: 'close' }

/** Only from a worker to its own page. */
export type ToPage =
  | Reply
  /** There is a leader now, and what the one before had not answered is open again. */
  | { readonly type: 'leader'; readonly leader: string }
  /** Another tab runs newer code. This one is out of the game until it is loaded again. */
  | { readonly type: 'outdated' }
  | { readonly type: 'closed' }

/** Between workers. */
export interface Envelope {
  readonly version: number
  readonly from: string
  /** Absent: for all. */
  readonly to?: string
  readonly body: Request | Reply | { readonly type: 'who_leads' } | { readonly type: 'i_lead' }
}

export interface PlainError {
  readonly failure: MessengerFailure
  readonly message: string
  readonly retryAfter?: number
  readonly at?: number
}

export function toPlainError(error: unknown): PlainError {
  if (!(error instanceof MessengerError)) return { failure: 'internal', message: 'Something went wrong on this device.' }
  const { failure, message, retryAfter, at } = error
  return { failure, message, ...(retryAfter !== undefined && { retryAfter }), ...(at !== undefined && { at }) }
}

export function fromPlainError({ failure, message, retryAfter, at }: PlainError): MessengerError {
  return new MessengerError(failure, message, { retryAfter, at })
}

/** Undefined for what no page of ours sends. */
export function readFromPage(data: unknown): FromPage | undefined {
  if (!isRecord(data)) return undefined
  if (data['type'] === 'remember' && typeof data['device'] === 'boolean') {
    const slot = data['slot']
    return { type: 'remember', device: data['device'], ...(typeof slot === 'string' && { slot }) }
  }
  return data['type'] === 'close' ? { type: 'close' } : readRequest(data)
}

/** Undefined for what no worker of ours broadcasts. A message of another version is returned with its version and no body. */
export function readEnvelope(data: unknown): Envelope | { readonly version: number; readonly body?: undefined } | undefined {
  if (!isRecord(data)) return undefined
  const { version, from, to, body } = data
  if (typeof version !== 'number' || typeof from !== 'string') return undefined
  if (version !== protocolVersion) return { version }
  if ((to !== undefined && typeof to !== 'string') || !isRecord(body)) return undefined
  const read = readGreeting(body) ?? readRequest(body) ?? readReply(body)
  return read && { version, from, ...(to === undefined ? {} : { to }), body: read }
}

function readGreeting({ type }: Record<string, unknown>): { type: 'who_leads' } | { type: 'i_lead' } | undefined {
  return type === 'who_leads' || type === 'i_lead' ? { type } : undefined
}

function readRequest({ type, id, key, verb, topic, request, param }: Record<string, unknown>): Request | undefined {
  if (type === 'call') return typeof id === 'string' && isVerb(verb) ? { type, id, verb, request } : undefined
  if (typeof key !== 'string') return undefined
  if (type === 'watch') return isTopic(topic) && isOptionalText(param) ? { type, key, topic, param } : undefined
  return type === 'unwatch' || type === 'seen' ? { type, key } : undefined
}

function readReply({ type, id, key, value, error }: Record<string, unknown>): Reply | undefined {
  if (type === 'done' && typeof id === 'string') return { type, id, value }
  if (type === 'failed' && typeof id === 'string' && isPlainError(error)) return { type, id, error }
  if (type === 'snapshot' && typeof key === 'string') return { type, key, value }
  return type === 'trouble' && isPlainError(error) ? { type, error } : undefined
}

function isPlainError(value: unknown): value is PlainError {
  return isRecord(value) && typeof value['failure'] === 'string' && typeof value['message'] === 'string'
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
