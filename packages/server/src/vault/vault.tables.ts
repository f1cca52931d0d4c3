/** Rows of the vault room: ciphertext that the server has no key for. */
import type { AccountId, UnlockId, VaultPart, VaultUnlock } from '@tacit/contract'

export interface VaultTables {
  vault: {
    account: AccountId
    /** How many vault keys there have been. */
    generation: number
  }
  vault_part: {
    account: AccountId
    part: VaultPart
    /** 0 before anything was put into it. */
    version: number
    bytes: Uint8Array
  }
  vault_unlock: {
    account: AccountId
    id: UnlockId
    kind: VaultUnlock['kind']
    wrapped_key: Uint8Array
  }
}
