/** Why an MLS operation was refused. The caller can tell a hostile peer from a wrong call. */
export type MlsErrorCause =
  /** The caller used the engine wrongly. */
  | 'usage'
  /** The bytes are not a canonical encoding of anything allowed here. */
  | 'malformed'
  /** Well-formed, but of a version, suite or type that is not supported. */
  | 'unsupported'
  /** Well-formed and supported, but breaks a rule of RFC 9420. */
  | 'invalid'
  /** For an epoch that is over. */
  | 'stale_epoch'
  /** For an epoch that has not begun. */
  | 'future_epoch'
  /** Another group. */
  | 'unknown_group'
  /** A decryption, signature or tag check failed. */
  | 'auth_failed'
  /** This generation was consumed already. */
  | 'duplicate'
  /** The generation lies further ahead than allowed. */
  | 'too_far'
  /** The authentication or policy hook said no. */
  | 'policy'
  /** Over a size or count limit. */
  | 'too_large'

/** Every failure of this package. `cause` says which kind; the message is safe to log (no secrets, no input bytes). */
export class MlsError extends Error {
  override readonly name = 'MlsError'
  readonly reason: MlsErrorCause
  constructor(reason: MlsErrorCause, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.reason = reason
  }
}
