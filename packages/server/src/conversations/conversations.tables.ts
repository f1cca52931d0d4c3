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
  /** The verified GroupInfo of the current epoch; with the tree, all that the group is to the server. */
  group_info: {
    conversation: ConversationId
    epoch: number
    bytes: Uint8Array
  }
  /** Nodes of the ratchet tree, each with the epochs in which it stood: a commit writes only the nodes that it changes. */
  tree_node: {
    conversation: ConversationId
    /** Index of the node (RFC 9420 appendix C). */
    node: number
    /** The first epoch with this content. */
    from_epoch: number
    /** The first epoch without it; null while it stands. */
    until_epoch: number | null
    /** The encoded Node: public keys and certificates. */
    bytes: Uint8Array
  }
  /** Verified proposals of the current epoch, for the commit that names them. */
  waiting_proposal: {
    conversation: ConversationId
    /** Its position in the log. */
    seq: number
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
