/** Rows of the credentials room: what proves who somebody is, and proofs that are under way. */
import type { AccountId, ChallengeId, UnlockId } from '@tacit/contract'

export interface CredentialTables {
  /** OPAQUE registration record (RFC 9807): no password, nothing that opens the vault. */
  password_credential: {
    account: AccountId
    record: string
  }
  /** WebAuthn public key credential. */
  passkey_credential: {
    /** Credential id, base64url. */
    id: string
    account: AccountId
    public_key: Uint8Array
    counter: number
    /** The wrapped vault key that its PRF output opens; null for one of before there was a tie. */
    unlock: UnlockId | null
  }
  /** A sign-up, a sign-in or another proof that has begun; taken out by its second step. */
  challenge: {
    id: ChallengeId
    purpose: 'password_sign_in' | 'passkey_sign_in' | 'passkey_sign_up' | 'password_proof' | 'passkey_proof' | 'kit_sign_in'
    /** Null when the handle is not known: the sign-in then fails at the end, like a wrong password. */
    account: AccountId | null
    state: string
    expires_at: number
  }
}
