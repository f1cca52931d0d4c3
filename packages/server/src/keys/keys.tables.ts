/** Rows of the keys room. */
import type { AccountId, DeviceId } from '@tacit/contract'
import type { Generated } from 'kysely'

export interface KeyTables {
  key_package: {
    id: Generated<number>
    account: AccountId
    device: DeviceId
    /** 1: not used up by a claim; at most one per device. */
    last_resort: 0 | 1
    /** SHA-256 of `bytes`: the same package cannot be published twice. */
    hash: Uint8Array
    bytes: Uint8Array
  }
}
