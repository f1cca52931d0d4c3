/** Rows of the sessions room. Tokens are never stored, only their SHA-256. */
import type { AccountId, DeviceId, SessionId, SignInMethod } from '@tacit/contract'

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
    /** When somebody last proved with it that they are who they are. */
    proved_at: number | null
  }
  /** Refresh tokens that were exchanged: one of them coming back means that two parties hold the family. */
  spent_refresh_token: {
    hash: Uint8Array
    session: SessionId
    spent_at: number
  }
}
