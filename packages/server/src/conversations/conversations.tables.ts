/** Rows of the conversations room. The order of events and the roster are in the delivery room's tables. */
import type { ConversationId, ConversationKind, DeviceId, WelcomeId } from '@tacit/contract'
import type { Generated } from 'kysely'

export interface ConversationTables {
  conversation: {
    id: ConversationId
    kind: ConversationKind
    /** The two account ids of a direct conversation in their order, joined; null for groups. Unique. */
    direct_pair: string | null
    created_at: number
  }
  /** The signed GroupInfo of the current epoch; apart from the log's row, which is written with every message. */
  group_info: {
    conversation: ConversationId
    epoch: number
    bytes: Uint8Array
  }
  /** Sealed invitations that their device has not acknowledged. */
  welcome: {
    position: Generated<number>
    id: WelcomeId
    device: DeviceId
    conversation: ConversationId
    /** The epoch that the commit ended. */
    epoch: number
    /** Position of the commit that added the device. */
    seq: number
    created_at: number
    bytes: Uint8Array
  }
}
