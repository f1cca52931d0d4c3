/** Rows of the sessions room. Tokens are never stored, only their SHA-256. */
import type { AccountId, ChallengeId, DeviceId, SessionId } from '@tacit/contract'

export type SignInMethod = 'password' | 'passkey'

export interface SessionTables {
  session: {
    id: SessionId
    account: AccountId
    device: DeviceId | null
    method: SignInMethod
    access_hash: Uint8Array
    access_expires_at: number
    refresh_hash: Uint8Array
    refresh_expires_at: number
    /** 1 once the current pair was used; until then the pair before it may be renewed again to the same result. */
    used: 0 | 1
    created_at: number
    last_used_at: number
  }
  /** Refresh tokens that were exchanged: one of them coming back means that two parties hold the family. */
  spent_refresh_token: {
    hash: Uint8Array
    session: SessionId
    spent_at: number
  }
  /** A sign-up or sign-in that has begun; taken out by its second step. */
  challenge: {
    id: ChallengeId
    purpose: 'password_sign_in' | 'passkey_sign_in' | 'passkey_sign_up'
    /** Null when the handle is not known: the sign-in then fails at the end, like a wrong password. */
    account: AccountId | null
    state: string
    expires_at: number
  }
}
