/** Rows of the unlocks room: recovery kits, and codes from the operator. */
import type { AccountId, UnlockId } from '@tacit/contract'

export interface UnlockTables {
  kit_credential: {
    account: AccountId
    /** Derived from the kit's secret. */
    id: UnlockId
    /** Ed25519. */
    public_key: Uint8Array
    made_at: number
  }
  /** So that somebody with an old kit is told what happened. */
  replaced_kit: {
    id: UnlockId
    account: AccountId
    replaced_at: number
  }
  recovery_code: {
    account: AccountId
    /** SHA-256 of the code. */
    hash: Uint8Array
    expires_at: number
  }
}
