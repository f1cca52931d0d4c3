/** How a verb fails. */
import type { FailureName } from '@tacit/contract'

export type MessengerFailure =
  | FailureName
  /** The server cannot be reached; nothing was lost. */
  | 'offline'
  /** The password or passkey opened the account but not its vault. */
  | 'vault_locked'
  /** The server presents an older vault than this device has seen: signing in again says which one counts. */
  | 'vault_rolled_back'
  /** This authenticator has no PRF extension, so it cannot keep the vault key. */
  | 'passkey_without_prf'
  /** The person cancelled, or the browser refused the ceremony. */
  | 'passkey_cancelled'
  /** What the server presented is not signed by the key we know. */
  | 'identity_mismatch'
  | 'weak_password'
  /** The app lock of this browser is closed: first `unlock`. */
  | 'locked'
  /** Not the PIN or passkey of the app lock. */
  | 'wrong_lock_secret'
  /** A word that no recovery kit has; the message names it. */
  | 'kit_word_unknown'
  /** Not twelve words. */
  | 'kit_incomplete'
  /** Twelve known words that are no kit together. */
  | 'kit_mistyped'
  /** No kit like this at this server. */
  | 'kit_unknown'
  | 'not_signed_in'
  | 'not_allowed'
  /** The local database is damaged, full, or open elsewhere. */
  | 'storage'

/** Every failure of a verb. `failure` is stable; the message is an English sentence without secrets. */
export class MessengerError extends Error {
  override readonly name = 'MessengerError'
  readonly failure: MessengerFailure
  /** When it happened (ms), of `kit_replaced`. */
  readonly at: number | undefined
  /** Seconds to wait, when the server said so. */
  readonly retryAfter: number | undefined
  constructor(
    failure: MessengerFailure,
    message: string,
    options?: { retryAfter?: number | undefined; at?: number | undefined; cause?: unknown },
  ) {
    super(message, { cause: options?.cause })
    this.failure = failure
    this.retryAfter = options?.retryAfter
    this.at = options?.at
  }
}
