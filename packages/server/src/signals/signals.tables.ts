/** Rows of the signals room: the current receipt of each device in each conversation, sealed. */
import type { ConversationId, DeviceId } from '@tacit/contract'

export interface SignalTables {
  kept_signal: {
    conversation: ConversationId
    device: DeviceId
    /** The epoch whose key seals it. */
    epoch: number
    bytes: Uint8Array
  }
}
