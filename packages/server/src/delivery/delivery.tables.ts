/** Rows of the delivery room: the log of each conversation, who may read which part of it, and the entries. */
import type { AccountId, ConversationId, DeviceId, EntryKind } from '@tacit/contract'
import type { Generated } from 'kysely'

export interface DeliveryTables {
  /** One row per conversation; `head` is the seq of its last entry, counted under this row's lock. */
  log: {
    conversation: ConversationId
    epoch: number
    head: number
  }
  /** One row per conversation and device, also after it left: its newest interval of membership. */
  membership: {
    conversation: ConversationId
    device: DeviceId
    account: AccountId
    /** The device reads entries after this one. */
    from_seq: number
    /** The entry that removed the device, the last one it may read; null while it is a member. */
    to_seq: number | null
    /** Everything up to here is durably stored on the device. Only moves forward. */
    cursor: number
    /** The last client_seq that was accepted from the device. */
    client_seq: number
    /** Where that entry stands; 0 when there is none. */
    last_seq: Generated<number>
  }
  /** Earlier intervals of a device that was added again before it had read all of them. Gone when it has, or when nothing of them is kept. */
  past_membership: {
    conversation: ConversationId
    device: DeviceId
    account: AccountId
    from_seq: number
    to_seq: number
  }
  entry: {
    conversation: ConversationId
    seq: number
    /** The epoch that the entry belongs to; a commit belongs to the epoch that it ends. */
    epoch: number
    kind: EntryKind
    sender: DeviceId
    client_seq: number
    /** Milliseconds since 1970; for display and retention, never for order. */
    time: number
    /** SHA-256 of `bytes`. */
    hash: Uint8Array
    /** Null once retention has removed them; the hash stays while a joiner may need it for the transcript. */
    bytes: Uint8Array | null
  }
}
