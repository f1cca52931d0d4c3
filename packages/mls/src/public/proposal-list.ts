/** Which proposals may be committed together, and what they do to tree and context (RFC 9420 sections 12.2 and 12.3). */
import type { Bytes } from '../port.ts'
import { equal, hex } from '../crypto/bytes.ts'
import { inBatches } from '../crypto/in-batches.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { MlsError } from '../errors.ts'
import { encode } from './codec.ts'
import type { Extension } from './extensions.ts'
import type { Sender } from './framing.ts'
import type { GroupContext } from './group-info.ts'
import type { KeyPackage, LeafNode } from './leaf-node.ts'
import { authenticateLeaf, validateKeyPackage, validateLeaf } from './leaf-validation.ts'
import type { LeafPolicy } from './leaf-validation.ts'
import { pskIdCodec } from './proposal.ts'
import type { Proposal, ProposalOf, PskId } from './proposal.ts'
import type { RatchetTree } from './tree.ts'

/** A proposal with who made it; `ref` (ProposalRef, RFC 9420 section 5.2) when it came in a message of its own. */
export interface SentProposal {
  readonly proposal: Proposal
  readonly sender: Sender
  readonly ref?: Bytes
}

/** The group as it is before the commit. */
export interface Ground {
  readonly suite: CipherSuite
  readonly context: GroupContext
  readonly tree: RatchetTree
}

/** What a commit does to one leaf, in the order of RFC 9420 section 12.3. */
export type LeafChange =
  | { readonly kind: 'updated'; readonly leafIndex: number; readonly before: LeafNode; readonly after: LeafNode; readonly proposer: Sender }
  | { readonly kind: 'removed'; readonly leafIndex: number; readonly leaf: LeafNode; readonly proposer: Sender }
  | {
      readonly kind: 'added'
      readonly leafIndex: number
      readonly leaf: LeafNode
      readonly proposer: Sender
      readonly keyPackage?: KeyPackage
    }

export interface AppliedProposals {
  /** A clone, still without the commit's path. */
  readonly tree: RatchetTree
  readonly extensions: readonly Extension[]
  readonly changes: readonly LeafChange[]
  readonly psks: readonly PskId[]
  readonly externalInit: Bytes | undefined
  readonly reinit: ProposalOf<'reinit'> | undefined
  /** Proposals of types that RFC 9420 does not define, in the order of the commit: what they do is up to the application. */
  readonly custom: readonly { readonly proposal: ProposalOf<'custom'>; readonly sender: Sender }[]
  /** RFC 9420 section 12.4: the commit must have a path. */
  readonly pathRequired: boolean
}

/** What the commit is for: first commits of re-initialised and branched groups may use their resumption PSK (sections 11.2, 11.3). */
export type Purpose = 'regular' | 'reinit' | 'branch'

const invalid = (why: string): MlsError => new MlsError('invalid', why)

const of = <K extends Proposal['kind']>(list: readonly SentProposal[], kind: K): (SentProposal & { proposal: ProposalOf<K> })[] =>
  list.filter((sent): sent is SentProposal & { proposal: ProposalOf<K> } => sent.proposal.kind === kind)

/** The types that may be sent from outside the group (RFC 9420 section 12.1.8). */
const EXTERNAL_KINDS: ReadonlySet<Proposal['kind']> = new Set(['add', 'remove', 'psk', 'reinit', 'group_context_extensions'])

/** Whether this sender may make this proposal at all, and whether it makes sense in this group (RFC 9420 section 12.1). */
export const validateProposal = async (ground: Ground, { proposal, sender }: SentProposal, policy: LeafPolicy): Promise<void> => {
  if (sender.kind === 'external' && !EXTERNAL_KINDS.has(proposal.kind))
    throw new MlsError('malformed', `an outsider cannot propose ${proposal.kind}`)
  if (sender.kind === 'new_member_proposal' && proposal.kind !== 'add') throw invalid('a newcomer can only propose its own add')
  switch (proposal.kind) {
    case 'add':
      await validateKeyPackage(ground.suite, proposal.keyPackage, policy)
      return authenticateLeaf(proposal.keyPackage.leaf, policy.authenticate)
    case 'update':
      return validateUpdate(ground, proposal.leaf, { sender, policy })
    case 'remove':
      if (!ground.tree.leaf(proposal.removed)) throw invalid(`leaf ${proposal.removed} to remove is blank`)
      return
    case 'psk':
      if (proposal.psk.nonce.length !== ground.suite.hash.length) throw invalid('PSK nonce has the wrong length')
      return
    case 'external_init':
      if (sender.kind !== 'new_member_commit') throw invalid('external init outside of an external commit')
      return
    case 'custom':
      return validateCustom(ground.tree, proposal.type)
    case 'reinit':
    case 'group_context_extensions':
      return
  }
}

const validateUpdate = async (ground: Ground, leaf: LeafNode, by: { sender: Sender; policy: LeafPolicy }): Promise<void> => {
  if (by.sender.kind !== 'member') throw invalid('an update by a non-member')
  const { leafIndex } = by.sender
  if (leaf.source.kind !== 'update') throw invalid(`update with a leaf of source ${leaf.source.kind}`)
  await validateReplacement(ground, leaf, { leafIndex, replaced: ground.tree.leaf(leafIndex), policy: by.policy })
}

/** A leaf that takes the place of another one must bring a new encryption key (RFC 9420 section 7.3). */
export const validateReplacement = async (
  ground: Ground,
  leaf: LeafNode,
  at: { leafIndex: number; replaced: LeafNode | undefined; policy: LeafPolicy },
): Promise<void> => {
  if (at.replaced && equal(at.replaced.encryptionKey, leaf.encryptionKey)) throw invalid('leaf keeps its encryption key')
  await validateLeaf(ground.suite, leaf, { groupId: ground.context.groupId, leafIndex: at.leafIndex })
  await authenticateLeaf(leaf, at.policy.authenticate)
}

const validateCustom = (tree: RatchetTree, type: number): void => {
  for (const [leafIndex, leaf] of tree.leaves()) {
    if (!leaf.capabilities.proposals.includes(type))
      throw new MlsError('unsupported', `leaf ${leafIndex} does not support proposal ${type}`)
  }
}

/** RFC 9420 section 12.2. `committer` is undefined for an external commit. */
export const validateProposalList = async (
  ground: Ground,
  list: readonly SentProposal[],
  check: { committer: number | undefined; purpose: Purpose; policy: LeafPolicy },
): Promise<void> => {
  if (check.committer === undefined) expectExternalList(list)
  else expectRegularList(list, check.committer)
  expectDistinctPsks(of(list, 'psk'), check.purpose)
  await inBatches(list, (sent) => validateProposal(ground, sent, check.policy))
}

const expectExternalList = (list: readonly SentProposal[]): void => {
  if (list.some(({ ref }) => ref)) throw invalid('external commit with a proposal by reference')
  if (of(list, 'external_init').length !== 1) throw invalid('external commit without exactly one external init')
  if (of(list, 'remove').length > 1) throw invalid('external commit with two removes')
  const others = list.find(({ proposal }) => !['external_init', 'remove', 'psk'].includes(proposal.kind))
  if (others) throw invalid(`external commit with ${others.proposal.kind}`)
}

const expectRegularList = (list: readonly SentProposal[], committer: number): void => {
  if (of(list, 'external_init').length > 0) throw invalid('external init in a regular commit')
  if (of(list, 'group_context_extensions').length > 1) throw invalid('two changes of the group context extensions')
  if (of(list, 'reinit').length > 0 && list.length > 1) throw invalid('reinit beside other proposals')
  const touched = new Set<number>()
  for (const { proposal, sender } of list) {
    const leafIndex =
      proposal.kind === 'remove' ? proposal.removed : proposal.kind === 'update' && sender.kind === 'member' ? sender.leafIndex : undefined
    if (leafIndex === undefined) continue
    if (leafIndex === committer) throw invalid(`the committer cannot commit its own ${proposal.kind}`)
    if (touched.has(leafIndex)) throw invalid(`two proposals for leaf ${leafIndex}`)
    touched.add(leafIndex)
  }
}

const expectDistinctPsks = (list: readonly { proposal: ProposalOf<'psk'> }[], purpose: Purpose): void => {
  const ids = new Set(list.map(({ proposal }) => hex(encode(pskIdCodec, proposal.psk))))
  if (ids.size < list.length) throw invalid('one PSK twice')
  for (const { psk } of list.map(({ proposal }) => proposal)) {
    if (psk.kind !== 'resumption' || psk.usage === 'application') continue
    if (psk.usage !== purpose || list.length > 1) throw invalid(`a ${psk.usage} PSK in a ${purpose} commit`)
  }
}

/** Which of these kinds force a path (RFC 9420 section 12.4). Custom types are taken to. */
const PATHLESS: ReadonlySet<Proposal['kind']> = new Set(['add', 'psk', 'reinit'])

/** Applies a valid list in the order of RFC 9420 section 12.3. */
export const applyProposals = (ground: Ground, list: readonly SentProposal[]): AppliedProposals => {
  const tree = ground.tree.clone()
  const changes: LeafChange[] = []
  for (const { proposal, sender } of of(list, 'update')) {
    const leafIndex = sender.kind === 'member' ? sender.leafIndex : -1
    const before = ground.tree.leaf(leafIndex)
    if (!before) throw invalid('update of a blank leaf')
    tree.update(leafIndex, proposal.leaf)
    changes.push({ kind: 'updated', leafIndex, before, after: proposal.leaf, proposer: sender })
  }
  for (const { proposal, sender } of of(list, 'remove')) {
    const leaf = ground.tree.leaf(proposal.removed)
    if (!leaf) throw invalid('remove of a blank leaf')
    tree.remove(proposal.removed)
    changes.push({ kind: 'removed', leafIndex: proposal.removed, leaf, proposer: sender })
  }
  tree.truncate()
  for (const { proposal, sender } of of(list, 'add')) {
    const { keyPackage } = proposal
    changes.push({ kind: 'added', leafIndex: tree.add(keyPackage.leaf), leaf: keyPackage.leaf, proposer: sender, keyPackage })
  }
  return {
    tree,
    extensions: of(list, 'group_context_extensions')[0]?.proposal.extensions ?? ground.context.extensions,
    changes,
    psks: of(list, 'psk').map(({ proposal }) => proposal.psk),
    externalInit: of(list, 'external_init')[0]?.proposal.kemOutput,
    reinit: of(list, 'reinit')[0]?.proposal,
    custom: of(list, 'custom').map(({ proposal, sender }) => ({ proposal, sender })),
    pathRequired: list.length === 0 || list.some(({ proposal }) => !PATHLESS.has(proposal.kind)),
  }
}
