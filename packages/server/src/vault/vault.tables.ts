/** Rows of the vault room: ciphertext that the server has no key for. */
import type { AccountId, VaultUnlock } from '@tacit/contract'

export interface VaultTables {
  vault: {
    account: AccountId
    version: number
    bytes: Uint8Array
  }
  vault_unlock: {
    account: AccountId
    kind: VaultUnlock['kind']
    wrapped_key: Uint8Array
  }
}
