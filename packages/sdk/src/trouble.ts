/**
 * The three ways in which something does not work out, kept apart: the server refuses (`Refusal`, from the contract), the
 * world does not answer (`Unreachable`: weather, try later), or the verb itself is not possible (`MessengerError`).
 */
import { failures, Refusal } from '@tacit/contract'
import { MessengerError } from './api.ts'

/** No answer came; whether the request arrived is unknown. Never a judgement on the data. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

/** What a verb rejects with. */
export function asMessengerError(error: unknown): MessengerError {
  if (error instanceof MessengerError) return error
  if (error instanceof Unreachable) return new MessengerError('offline', 'The server cannot be reached.', { cause: error })
  if (error instanceof Refusal) {
    const { title, next } = failures[error.failure]
    return new MessengerError(error.failure, `${title} ${next}`, { ...error.details, cause: error })
  }
  return new MessengerError('internal', 'Something went wrong on this device.', { cause: error })
}

/** Whether waiting and trying the very same thing again can help. */
export function isPassing(error: unknown): boolean {
  if (error instanceof Unreachable) return true
  return (
    error instanceof Refusal && ['rate_limited', 'busy', 'unavailable', 'internal', 'storage_full', 'timed_out'].includes(error.failure)
  )
}

/** Trouble that is not older than this may end at any moment, and who waits for a message sees it: tried again sooner. Milliseconds. */
const FRESH = 10 * 60_000

/**
 * Milliseconds before attempt number `attempt` (from 0): 0.5 s doubled up to 30 s, anywhere in that (full jitter); up to 6 s as long as
 * the trouble is fresh. `since`: for how long there has been trouble.
 */
export function backOff(wait: { readonly attempt: number; readonly fraction: number; readonly since?: number }): number {
  const { attempt, fraction, since = FRESH } = wait
  return Math.min(since < FRESH ? 6000 : 30_000, 500 * 2 ** Math.min(attempt, 16)) * fraction
}
