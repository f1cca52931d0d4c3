/** Rows of the accounts room. Times are milliseconds since 1970. */
import type { AccountId } from '@tacit/contract'

export interface AccountTables {
  account: {
    id: AccountId
    /** In the spelling its owner chose. */
    handle: string
    /** Lower case: what a look-up compares. Unique. */
    handle_folded: string
    /** What looks alike has one skeleton. Unique. */
    handle_skeleton: string
    /** Ed25519 public key, 32 bytes. */
    account_key: Uint8Array
    shares_presence: 0 | 1
    created_at: number
  }
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
  }
}
