/** Leaves as an application sees them, and what it is asked about a commit or a proposal before that takes effect. */
import type { Bytes, JudgeCommit, Member, MembershipChange } from '../port.ts'
import { equal } from '../crypto/bytes.ts'
import { credentialBytes } from './credential.ts'
import type { LeafNode } from './leaf-node.ts'
import { policyOf } from './profile.ts'
import { applyProposals } from './proposal-list.ts'
import type { Ground, LeafChange, SentProposal } from './proposal-list.ts'
import type { StagedCommit } from './staged-commit.ts'
import type { RatchetTree } from './tree.ts'

type Leaf = Pick<LeafNode, 'signatureKey' | 'credential'>

/** What `JudgeCommit` is asked, but for the group itself. */
export type Judged = Omit<Parameters<JudgeCommit>[0], 'group'>

const rosters = new WeakMap<RatchetTree, readonly Member[]>()
const seen = new WeakMap<Leaf, Member>()

/** A leaf (RFC 9420 section 7.2) as members and servers speak of it, with copies of its bytes. */
export const memberOf = (leafIndex: number, leaf: Leaf): Member => {
  const known = seen.get(leaf)
  if (known?.leafIndex === leafIndex) return known
  const member = Object.freeze({ leafIndex, credential: credentialBytes(leaf.credential).slice(), signatureKey: leaf.signatureKey.slice() })
  seen.set(leaf, member)
  return member
}

/** Occupied leaves (RFC 9420 section 4.1) in leaf order. */
export const membersOf = (tree: RatchetTree): readonly Member[] => {
  const known = rosters.get(tree)
  if (known) return known
  const members = Object.freeze([...tree.leaves()].map(([leafIndex, leaf]) => memberOf(leafIndex, leaf)))
  rosters.set(tree, members)
  return members
}

/** Changes, and who proposed each; `by` stands for proposers that are no members. */
export const changesOf = (
  { tree }: Pick<Ground, 'tree'>,
  changes: readonly LeafChange[],
  by: Member,
): { changes: MembershipChange[]; proposers: Member[] } => ({
  changes: changes.map(changeOf),
  proposers: changes.map(({ proposer }) => {
    const leaf = proposer.kind === 'member' ? tree.leaf(proposer.leafIndex) : undefined
    return leaf && proposer.kind === 'member' ? memberOf(proposer.leafIndex, leaf) : by
  }),
})

const changeOf = (change: LeafChange): MembershipChange =>
  change.kind === 'updated'
    ? { kind: 'updated', before: memberOf(change.leafIndex, change.before), after: memberOf(change.leafIndex, change.after) }
    : { kind: change.kind, member: memberOf(change.leafIndex, change.leaf) }

/** A commit as it is to be judged (RFC 9420 section 12.4.2): a path that brings another identity counts as an update of the committer. */
export const judgedCommit = (ground: Ground, staged: StagedCommit): Judged => {
  const before = staged.external ? undefined : ground.tree.leaf(staged.committer)
  const after = staged.committerLeaf
  const by = memberOf(staged.committer, before ?? after)
  const { changes, proposers } = changesOf(ground, staged.changes, by)
  const renewed = before && !isSameIdentity(before, after)
  const renewal: MembershipChange[] = renewed ? [{ kind: 'updated', before: by, after: memberOf(staged.committer, after) }] : []
  const policy = staged.context.extensions === ground.context.extensions ? {} : installed(policyOf(staged.context.extensions))
  const all = { changes: [...changes, ...renewal], proposers: [...proposers, ...renewal.map(() => by)] }
  return { by, external: staged.external, ...all, ...policy }
}

/** A member's proposal (RFC 9420 section 12.1), judged as if it were committed at once by itself. */
export const judgedProposal = (ground: Ground, sent: SentProposal, by: Member): Judged => {
  const { proposal } = sent
  const policy = proposal.kind === 'group_context_extensions' ? installed(policyOf(proposal.extensions)) : {}
  return { by, external: false, ...changesOf(ground, applyProposals(ground, [sent]).changes, by), ...policy }
}

const installed = (policy: Bytes): { policy: Bytes } => ({ policy: policy.slice() })

const isSameIdentity = (one: Leaf, other: Leaf): boolean =>
  equal(one.signatureKey, other.signatureKey) && equal(credentialBytes(one.credential), credentialBytes(other.credential))
