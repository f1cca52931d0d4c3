/**
 * The handles that callers hold. A handle is a frozen view; the state behind it is reachable through this module's weak map
 * alone, so that no secret can be logged or serialized by accident.
 */
import type { Group, LeafIdentity, Member, MembershipChange, PendingProposal } from '../port.ts'
import { MlsError } from '../errors.ts'
import { credentialBytes } from '../public/credential.ts'
import type { Sender } from '../public/framing.ts'
import type { LeafChange } from '../public/proposal-list.ts'
import type { RatchetTree } from '../public/tree.ts'
import { policyOf } from './profile.ts'
import { expectActive } from './state.ts'
import type { GroupState, PastLeaf } from './state.ts'

const states = new WeakMap<Group, GroupState>()
const rosters = new WeakMap<RatchetTree, readonly Member[]>()
const seen = new WeakMap<PastLeaf, Member>()

/** A leaf as callers see it, with copies of its bytes. */
export const memberOf = (leafIndex: number, leaf: PastLeaf): Member => {
  const known = seen.get(leaf)
  if (known?.leafIndex === leafIndex) return known
  const member = Object.freeze({ leafIndex, credential: credentialBytes(leaf.credential).slice(), signatureKey: leaf.signatureKey.slice() })
  seen.set(leaf, member)
  return member
}

export const rosterOf = (tree: RatchetTree): readonly Member[] => {
  const known = rosters.get(tree)
  if (known) return known
  const members = Object.freeze([...tree.leaves()].map(([leafIndex, leaf]) => memberOf(leafIndex, leaf)))
  rosters.set(tree, members)
  return members
}

/** Makes the handle of a state. */
export const groupOf = (state: GroupState): Group => {
  const group: Group = Object.freeze({
    groupId: state.context.groupId.slice(),
    epoch: state.context.epoch,
    ownLeafIndex: state.ownLeaf,
    active: state.ended === undefined,
    members: rosterOf(state.tree),
    policy: policyOf(state.context.extensions).slice(),
    epochAuthenticator: state.secrets.authenticator.slice(),
    pendingProposals: Object.freeze([...state.proposals.values()].flatMap((sent) => pendingOf(state, sent))),
  })
  states.set(group, state)
  return group
}

const pendingOf = (
  state: GroupState,
  { proposal, sender, ref }: { proposal: { kind: string; removed?: number }; sender: Sender; ref: Uint8Array },
): PendingProposal[] => {
  const leaf = sender.kind === 'member' ? state.tree.leaf(sender.leafIndex) : undefined
  if (!leaf || sender.kind !== 'member') return []
  const by = memberOf(sender.leafIndex, leaf)
  return [proposal.removed === undefined ? { ref: ref.slice(), by } : { ref: ref.slice(), by, removes: proposal.removed }]
}

/** The state behind a handle; `usage` when the handle is of another engine. */
export const stateOf = (group: Group): GroupState => {
  const state = states.get(group)
  if (!state) throw new MlsError('usage', 'not a group of this engine')
  return state
}

/** As `stateOf`, and `usage` once the group has ended for this device. */
export const activeStateOf = (group: Group): GroupState => {
  const state = stateOf(group)
  expectActive(state)
  return state
}

/** Changes as callers see them, and who proposed each; `by` stands for proposers that are no members. */
export const changesOf = (
  state: Pick<GroupState, 'tree'>,
  changes: readonly LeafChange[],
  by: Member,
): { changes: MembershipChange[]; proposers: Member[] } => ({
  changes: changes.map(changeOf),
  proposers: changes.map(({ proposer }) => {
    const leaf = proposer.kind === 'member' ? state.tree.leaf(proposer.leafIndex) : undefined
    return leaf && proposer.kind === 'member' ? memberOf(proposer.leafIndex, leaf) : by
  }),
})

const changeOf = (change: LeafChange): MembershipChange =>
  change.kind === 'updated'
    ? { kind: 'updated', before: memberOf(change.leafIndex, change.before), after: memberOf(change.leafIndex, change.after) }
    : { kind: change.kind, member: memberOf(change.leafIndex, change.leaf) }

/** A private copy of what a caller may still change. */
export const ownCopy = ({ credential, signature }: LeafIdentity): LeafIdentity => ({
  credential: credential.slice(),
  signature: { publicKey: signature.publicKey.slice(), secretKey: signature.secretKey.slice() },
})
