/** Rows of the signals room: the current receipt of each device in each conversation, sealed. */
import type { ConversationId, DeviceId } from '@tacit/contract'
import type { Generated } from 'kysely'

export interface SignalTables {
  kept_signal: {
    conversation: ConversationId
    device: DeviceId
    /** The epoch whose key seals it. */
    epoch: number
    bytes: Uint8Array
    /** The transaction that stored it, where there are several servers; else null. */
    tx: Generated<number | null>
  }
}
