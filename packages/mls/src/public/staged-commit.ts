/**
 * A commit judged by everything that is public about it (RFC 9420 section 12.4.2): signature, proposals, path, tree, hashes.
 * Members go on from here with their secrets; a delivery service stops here.
 */
import type { Bytes } from '../port.ts'
import { equal, hex } from '../crypto/bytes.ts'
import { MlsError } from '../errors.ts'
import { confirmedTranscriptHash, interimTranscriptHash, verifyContent } from './content-auth.ts'
import type { Verifier } from './content-auth.ts'
import { credentialBytes } from './credential.ts'
import type { GroupContext } from './group-info.ts'
import type { LeafNode } from './leaf-node.ts'
import { KeySet, validateRoster } from './leaf-validation.ts'
import type { LeafPolicy } from './leaf-validation.ts'
import type { AuthenticatedContent } from './message.ts'
import { setPathKeys } from './parent-hash.ts'
import type { Commit, UpdatePath } from './proposal.ts'
import { applyProposals, validateProposalList, validateReplacement } from './proposal-list.ts'
import type { AppliedProposals, Ground, LeafChange, Purpose, SentProposal } from './proposal-list.ts'
import { leafToNode } from './tree-math.ts'
import type { PathStep, RatchetTree } from './tree.ts'

/** A group as far as everybody may know it. */
export interface PublicGroup extends Ground {
  readonly interimTranscriptHash: Bytes
  /** Proposals of this epoch that wait for a commit, by the hexadecimal of their reference. */
  readonly proposals: ReadonlyMap<string, SentProposal & { readonly ref: Bytes }>
}

/** What a caller decides about a commit (RFC 9420 section 12.4.2). */
export interface CommitPolicy extends LeafPolicy {
  readonly purpose?: Purpose
  /** Whether a newcomer may take the place of a leaf (RFC 9420 section 12.2); equal credentials by default. */
  readonly isSameClient?: (replaced: LeafNode, joiner: LeafNode) => boolean
}

/** One step of a committer's path with the nodes that its secret is encrypted to. */
export interface EncryptedStep extends PathStep {
  /** The copath child's resolution without the leaves that this commit adds. */
  readonly recipients: readonly number[]
}

/** A commit that holds in public, and the group that it would make (RFC 9420 section 12.4.2). */
export interface StagedCommit extends Omit<AppliedProposals, 'tree' | 'pathRequired'> {
  /** Leaf index of the committer in the new tree. */
  readonly committer: number
  readonly external: boolean
  /** The committer's leaf in the new tree. */
  readonly committerLeaf: LeafNode
  /** The tree of the new epoch. */
  readonly tree: RatchetTree
  readonly path: { readonly update: UpdatePath; readonly steps: readonly EncryptedStep[] } | undefined
  /** The new context with the old transcript hash, under which path secrets are encrypted. */
  readonly provisional: GroupContext
  readonly context: GroupContext
  readonly confirmationTag: Bytes
  readonly interimTranscriptHash: Bytes
}

const invalid = (why: string): MlsError => new MlsError('invalid', why)

/** Verifies what was sent in the group's current epoch. */
export const verifierOf = ({ context, tree }: Ground): Verifier => ({ context, keyAt: (leafIndex) => tree.leaf(leafIndex)?.signatureKey })

/** Replaces references by the proposals they name. Throws `invalid` for an unknown one. */
export const resolveProposals = (
  group: Pick<PublicGroup, 'proposals'>,
  commit: Commit,
  committer: SentProposal['sender'],
): SentProposal[] =>
  commit.proposals.map((item) => {
    if (item.kind === 'proposal') return { proposal: item.proposal, sender: committer }
    const known = group.proposals.get(refKey(item.ref))
    if (!known) throw invalid('commit of an unknown proposal')
    return known
  })

const refKey = (ref: Bytes): string => hex(ref)

/** The steps of a path from `leafIndex` in a tree to which a commit's proposals were applied. */
export const encryptedSteps = (tree: RatchetTree, leafIndex: number, changes: readonly LeafChange[]): EncryptedStep[] => {
  const added = new Set(changes.flatMap((change) => (change.kind === 'added' ? [leafToNode(change.leafIndex)] : [])))
  return tree
    .filteredDirectPath(leafIndex)
    .map((step) => ({ ...step, recipients: tree.resolution(step.copath).filter((node) => !added.has(node)) }))
}

/** Judges a commit by what is public (RFC 9420 section 12.4.2). The content's epoch, group and membership tag are the caller's to check. Leaves `group` untouched. */
export const stageCommit = async (group: PublicGroup, content: AuthenticatedContent, policy: CommitPolicy): Promise<StagedCommit> => {
  const { framed, auth } = content
  if (framed.content.kind !== 'commit' || !auth.confirmationTag) throw invalid('not a commit with a confirmation tag')
  const { commit } = framed.content
  const external = framed.sender.kind === 'new_member_commit'
  if (!external && framed.sender.kind !== 'member') throw invalid(`commit by ${framed.sender.kind}`)
  await verifyContent(group.suite, content, verifierOf(group))
  const member = framed.sender.kind === 'member' ? framed.sender.leafIndex : undefined
  const list = resolveProposals(group, commit, framed.sender)
  await validateProposalList(group, list, { committer: member, purpose: policy.purpose ?? 'regular', policy })
  const applied = applyProposals(group, list)
  await applied.tree.hashLeaves()
  if (!commit.path && (applied.pathRequired || external)) throw invalid('commit without the path that it needs')
  const placed = await placePath(group, { applied, commit, member, policy })
  validateRoster(placed.tree, applied.extensions, group)
  const provisional: GroupContext = {
    ...group.context,
    epoch: group.context.epoch + 1n,
    treeHash: placed.tree.treeHash(),
    extensions: applied.extensions,
  }
  const confirmed = await confirmedTranscriptHash(group.suite, group.interimTranscriptHash, content)
  return {
    ...applied,
    ...placed,
    external,
    provisional,
    context: { ...provisional, confirmedTranscriptHash: confirmed },
    confirmationTag: auth.confirmationTag,
    interimTranscriptHash: interimTranscriptHash(group.suite, confirmed, auth.confirmationTag),
  }
}

interface Placing {
  readonly applied: AppliedProposals
  readonly commit: Commit
  /** Undefined for an external commit. */
  readonly member: number | undefined
  readonly policy: CommitPolicy
}

type Placed = Pick<StagedCommit, 'tree' | 'changes' | 'committer' | 'committerLeaf' | 'path'>

/** Validates the path and merges it into the tree (RFC 9420 sections 7.5 and 12.4.2). */
const placePath = async (group: PublicGroup, { applied, commit, member, policy }: Placing): Promise<Placed> => {
  const { tree } = applied
  const { path } = commit
  if (!path) return placeNothing(applied, member)
  const committer = member ?? tree.claimLeaf()
  const changes = member === undefined ? joinerChanges(applied, { leafIndex: committer, leaf: path.leaf, policy }) : applied.changes
  if (path.leaf.source.kind !== 'commit') throw invalid(`path with a leaf of source ${path.leaf.source.kind}`)
  await validateReplacement(group, path.leaf, { leafIndex: committer, replaced: tree.leaf(committer), policy })
  expectFreshKeys(group, tree, path)
  tree.blankPath(committer)
  tree.setLeaf(committer, path.leaf)
  const steps = encryptedSteps(tree, committer, applied.changes)
  if (steps.length !== path.nodes.length) throw invalid(`path of ${path.nodes.length} nodes where ${steps.length} are needed`)
  const keys = steps.map((step, at) => {
    const node = path.nodes[at]
    if (node?.encryptedPathSecrets.length !== step.recipients.length)
      throw invalid('path secret not encrypted to the right number of nodes')
    return { step, encryptionKey: node.encryptionKey }
  })
  const parentHash = setPathKeys(tree, group.suite.hash, keys)
  if (!equal(parentHash, path.leaf.source.parentHash)) throw invalid('parent hash of the path')
  return { tree, changes, committer, committerLeaf: path.leaf, path: { update: path, steps } }
}

const placeNothing = ({ tree, changes }: AppliedProposals, member: number | undefined): Placed => {
  const committerLeaf = member === undefined ? undefined : tree.leaf(member)
  if (member === undefined || !committerLeaf) throw invalid('commit by a blank leaf')
  return { tree, changes, committer: member, committerLeaf, path: undefined }
}

/** An external commit adds its sender, and may remove the sender's own former leaf and no other. */
const joinerChanges = (
  { changes }: AppliedProposals,
  joiner: { leafIndex: number; leaf: LeafNode; policy: CommitPolicy },
): LeafChange[] => {
  const { leafIndex, leaf, policy } = joiner
  for (const change of changes) {
    if (change.kind !== 'removed') continue
    if (!(policy.isSameClient ?? sameCredential)(change.leaf, leaf)) throw new MlsError('policy', 'external commit removes another client')
    if (equal(change.leaf.encryptionKey, leaf.encryptionKey)) throw invalid('leaf keeps its encryption key')
  }
  return [...changes, { kind: 'added', leafIndex, leaf, proposer: { kind: 'new_member_commit' } }]
}

const sameCredential = (replaced: LeafNode, joiner: LeafNode): boolean =>
  equal(credentialBytes(replaced.credential), credentialBytes(joiner.credential))

/** RFC 9420 section 12.4.2: no key of the path may be in the tree already, in the nodes about to be replaced included. */
const expectFreshKeys = (group: PublicGroup, tree: RatchetTree, path: UpdatePath): void => {
  const fresh = new KeySet()
  for (const { encryptionKey } of [path.leaf, ...path.nodes]) {
    group.suite.hpke.kem.check(encryptionKey)
    if (!fresh.add(encryptionKey)) throw invalid('path uses one key twice')
  }
  const isOld = (known: { readonly encryptionKey: Bytes }): void => {
    if (fresh.has(known.encryptionKey)) throw invalid('path uses a key that is in the tree')
  }
  for (const leaf of tree.allLeaves()) if (leaf) isOld(leaf)
  for (const [, parent] of tree.parents()) isOld(parent)
}
