/** Rows of the devices room. */
import type { AccountId, DeviceId } from '@tacit/contract'
import type { Generated } from 'kysely'

export interface DeviceTables {
  /** The newest signed list of each account, as its owner encoded it. */
  device_list: {
    account: AccountId
    version: number
    /** Ed25519 public key that signed it, 32 bytes; the same in all versions. */
    account_key: Uint8Array
    /** SHA-256 of `bytes`; what the next version must name. */
    hash: Uint8Array
    bytes: Uint8Array
  }
  /** Every device that ever was on a list: an id is never used again. */
  device: {
    id: DeviceId
    account: AccountId
    /** Ed25519 public key, 32 bytes. */
    signature_key: Uint8Array
    added_at: number
    /** When it left the list. */
    removed_at: number | null
    /** Where there are several servers: the number of its newest socket. */
    line: Generated<number>
  }
}
