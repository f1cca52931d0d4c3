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

/** Milliseconds before attempt number `attempt` (from 0): 0.5 s doubled up to 30 s, anywhere in that (full jitter). */
export function backOff({ attempt, fraction }: { readonly attempt: number; readonly fraction: number }): number {
  return Math.min(30_000, 500 * 2 ** Math.min(attempt, 16)) * fraction
}
