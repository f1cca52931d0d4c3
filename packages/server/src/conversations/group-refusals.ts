/** What the MLS package says of bytes, as the refusals of the contract. */
import { Refusal, type FailureName } from '@tacit/contract'
import { MlsError, type MlsErrorCause } from '@tacit/mls/public'

/** A cause that is not named here is a fault of this server. */
const refusals: { readonly [Cause in MlsErrorCause]?: FailureName } = {
  malformed: 'malformed',
  unsupported: 'unsupported',
  invalid: 'invalid_handshake',
  auth_failed: 'invalid_handshake',
  duplicate: 'invalid_handshake',
  unknown_group: 'malformed',
  stale_epoch: 'malformed',
  future_epoch: 'malformed',
  policy: 'invalid_credential',
  too_large: 'too_large',
}

/** Runs what reads somebody's bytes; its `MlsError` becomes a refusal. */
export async function judgingBytes<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const failure = error instanceof MlsError ? refusals[error.reason] : undefined
    if (failure) throw new Refusal(failure)
    throw error
  }
}
