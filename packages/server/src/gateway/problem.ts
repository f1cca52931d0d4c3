/** Refusals and faults as answers: application/problem+json (RFC 9457) with a stable name, a next step and the request's id. */
import { failures, Refusal, type FailureDetails, type FailureName, type Problem } from '@tacit/contract'
import { storageRefusal } from '../storage/faults.ts'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** The body of a refused request. */
export function problemOf({ refusal, requestId }: { refusal: Refusal; requestId: string }): Problem {
  const { status, title, next } = failures[refusal.failure]
  const details = Object.keys(refusal.details).length > 0 ? { details: refusal.details } : {}
  return { type: `urn:tacit:failure:${refusal.failure}`, title, status, name: refusal.failure, next, requestId, ...details }
}

/** What Fastify refuses by itself, in our words. */
const byFastifyCode: Readonly<Record<string, FailureName>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media',
  FST_ERR_CTP_EMPTY_TYPE: 'unsupported_media',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed',
  FST_ERR_BAD_URL: 'not_found',
}

/** The refusal that an error stands for; undefined for a fault of ours. */
export function refusalFor(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error
  const ofStorage = storageRefusal(error)
  if (ofStorage) return ofStorage
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const failure = typeof error.code === 'string' ? byFastifyCode[error.code] : undefined
  if (failure) return new Refusal(failure)
  if ('statusCode' in error && typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500) {
    return new Refusal('malformed')
  }
  return undefined
}

/** `malformed` that names the first field that is wrong, never its value. */
export function malformedField(path: readonly PropertyKey[]): Refusal {
  const details: FailureDetails = path.length > 0 ? { field: path.map(String).join('.').slice(0, 200) } : {}
  return new Refusal('malformed', details)
}
