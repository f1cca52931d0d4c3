/** What a refused verb means to a person: a key into the words, never the SDK's English sentence. */
import type { ParseKeys } from 'i18next'
import type { MessengerError, MessengerFailure } from '@tacit/sdk'

export interface Failure {
  readonly name: MessengerFailure
  /** Seconds to wait, when the server said so. */
  readonly retryAfter?: number
}

const isMessengerError = (error: unknown): error is MessengerError =>
  error instanceof Error && error.name === 'MessengerError' && 'failure' in error

/** Reads a rejection. Whatever is no `MessengerError` is our own fault and shown as such. */
export function failureOf(error: unknown): Failure {
  if (!isMessengerError(error)) return { name: 'internal' }
  return error.retryAfter === undefined ? { name: error.failure } : { name: error.failure, retryAfter: error.retryAfter }
}

const texts: Partial<Record<MessengerFailure, ParseKeys>> = {
  already_exists: 'failure.handleTaken',
  client_too_old: 'failure.clientTooOld',
  expired: 'failure.expired',
  handle_not_allowed: 'failure.handleNotAllowed',
  handle_taken: 'failure.handleTaken',
  identity_mismatch: 'failure.identityMismatch',
  locked: 'failure.locked',
  not_allowed: 'failure.notAllowed',
  not_found: 'failure.notFound',
  not_signed_in: 'failure.sessionEnded',
  kit_incomplete: 'failure.kitIncomplete',
  kit_mistyped: 'failure.kitMistyped',
  kit_replaced: 'failure.kitReplaced',
  kit_unknown: 'failure.kitUnknown',
  kit_word_unknown: 'failure.kitWord',
  offline: 'failure.offline',
  passkey_cancelled: 'failure.passkeyCancelled',
  passkey_without_prf: 'failure.passkeyWithoutPrf',
  proof_needed: 'failure.proofNeeded',
  rate_limited: 'failure.rateLimited',
  session_ended: 'failure.sessionEnded',
  storage: 'failure.storage',
  storage_full: 'failure.unavailable',
  timed_out: 'failure.offline',
  too_large: 'failure.tooLarge',
  too_many: 'failure.tooMany',
  unauthenticated: 'failure.sessionEnded',
  unavailable: 'failure.unavailable',
  vault_locked: 'failure.vaultLocked',
  vault_rolled_back: 'failure.vaultRolledBack',
  weak_password: 'failure.weakPassword',
  wrong_credentials: 'failure.wrongCredentials',
  wrong_lock_secret: 'failure.wrongLockSecret',
}

/** The sentence for a failure, as a key. */
export const failureText = (name: MessengerFailure): ParseKeys => texts[name] ?? 'failure.internal'
