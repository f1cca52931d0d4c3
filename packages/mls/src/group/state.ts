/** A member's whole state at one epoch. Immutable: every operation returns another one. */
import type { Bytes, LeafIdentity } from '../port.ts'
import type { KeyPair } from '../crypto/kem.ts'
import { MlsError } from '../errors.ts'
import type { GroupContext } from '../public/group-info.ts'
import type { LeafNode } from '../public/leaf-node.ts'
import type { ProposalOf } from '../public/proposal.ts'
import type { PublicGroup } from '../public/staged-commit.ts'
import type { RatchetTree } from '../public/tree.ts'
import type { EpochSecrets } from './key-schedule.ts'
import type { MessageSecrets } from './private-message.ts'
import { secretTreeOf } from './secret-tree.ts'
import type { SecretTree } from './secret-tree.ts'
import type { NodeKeys } from './treekem.ts'

/** What is remembered of a leaf of the epoch before: enough to verify what it sent. */
export type PastLeaf = Pick<LeafNode, 'signatureKey' | 'credential'>

/** The epoch before, for application messages that were under way when it ended. */
export interface PastEpoch {
  readonly context: GroupContext
  readonly senderData: Bytes
  readonly secretTree: SecretTree
  /** By leaf index. */
  readonly leaves: readonly (PastLeaf | undefined)[]
}

export interface GroupState extends PublicGroup {
  readonly identity: LeafIdentity
  readonly ownLeaf: number
  readonly keys: NodeKeys
  readonly secrets: EpochSecrets
  readonly secretTree: SecretTree
  readonly confirmationTag: Bytes
  /** Key pairs of own Update proposals that wait, by the hexadecimal of the public key. */
  readonly ownUpdates: ReadonlyMap<string, KeyPair>
  readonly past: PastEpoch | undefined
  /** Why nothing more can be sent: removed, or re-initialised into another group. */
  readonly ended: 'removed' | 'reinitialised' | undefined
  readonly reinit: ProposalOf<'reinit'> | undefined
}

/** The leaf that this member occupies. */
export const ownLeafOf = (state: Pick<GroupState, 'tree' | 'ownLeaf'>): LeafNode => {
  const leaf = state.tree.leaf(state.ownLeaf)
  if (!leaf) throw new MlsError('usage', 'the own leaf is blank')
  return leaf
}

/** Throws `usage` for a group that has ended. */
export const expectActive = (state: GroupState): void => {
  if (state.ended) throw new MlsError('usage', `group is over: ${state.ended}`)
}

export const messageSecretsOf = (state: GroupState): MessageSecrets => ({
  suite: state.suite,
  senderData: state.secrets.senderData,
  secretTree: state.secretTree,
})

/** What a state remembers of itself in the epoch that follows it. */
export const pastOf = (state: GroupState): PastEpoch => ({
  context: state.context,
  senderData: state.secrets.senderData,
  secretTree: state.secretTree,
  leaves: state.tree.allLeaves(),
})

/**
 * A state that waits for its commit to be accepted. It does not remember the epoch before, which goes on meanwhile: what is
 * consumed there must not lie here.
 */
export const beforeMerging = (state: GroupState): GroupState => ({ ...state, past: undefined })

export const freshSecretTree = (encryption: Bytes, tree: RatchetTree): SecretTree => secretTreeOf(encryption, tree.leafCount)

const NO_SECRETS: EpochSecrets = (() => {
  const none: Bytes = new Uint8Array()
  return {
    senderData: none,
    exporter: none,
    external: none,
    confirmation: none,
    membership: none,
    resumption: none,
    authenticator: none,
    init: none,
  }
})()

/** A state without secrets: what is left after a removal. The last authenticator stays, to compare notes by. */
export const stripped = (state: GroupState): GroupState => ({
  ...state,
  keys: new Map(),
  secrets: { ...NO_SECRETS, authenticator: state.secrets.authenticator },
  secretTree: { leafCount: state.tree.leafCount, nodes: [], ratchets: [] },
  proposals: new Map(),
  ownUpdates: new Map(),
  past: undefined,
  ended: 'removed',
})
