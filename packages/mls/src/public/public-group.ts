/**
 * Following a group from outside: what a delivery service does with each handshake it accepts. It can check signatures,
 * membership, trees and roles; it cannot check membership and confirmation tags, for which it lacks the keys.
 */
import { equal, hex } from '../crypto/bytes.ts'
import { MlsError } from '../errors.ts'
import { suiteOf } from '../crypto/suite.ts'
import type { Bytes } from '../port.ts'
import { interimTranscriptHash, verifyContent } from './content-auth.ts'
import type { GroupInfo } from './group-info.ts'
import type { LeafPolicy } from './leaf-validation.ts'
import { proposalRef } from './message.ts'
import type { AuthenticatedContent, PublicMessage } from './message.ts'
import { validateProposal } from './proposal-list.ts'
import type { SentProposal } from './proposal-list.ts'
import { stageCommit, verifierOf } from './staged-commit.ts'
import type { CommitPolicy, PublicGroup, StagedCommit } from './staged-commit.ts'
import { decodeTree } from './tree-nodes.ts'

const contentOf = (group: PublicGroup, { framed, auth }: PublicMessage): AuthenticatedContent => {
  if (!equal(framed.groupId, group.context.groupId)) throw new MlsError('unknown_group', 'message of another group')
  if (framed.epoch < group.context.epoch) throw new MlsError('stale_epoch', `epoch ${framed.epoch} is over`)
  if (framed.epoch > group.context.epoch) throw new MlsError('future_epoch', `epoch ${framed.epoch} has not begun`)
  return { wireFormat: 'public', framed, auth }
}

/** The group with a proposal that waits (RFC 9420 section 12.1). Throws `MlsError` for one that no member could commit. */
export const afterProposal = async (
  group: PublicGroup,
  message: PublicMessage,
  policy: LeafPolicy,
): Promise<{ readonly group: PublicGroup; readonly sent: SentProposal }> => {
  const content = contentOf(group, message)
  if (content.framed.content.kind !== 'proposal') throw new MlsError('usage', 'not a proposal')
  await verifyContent(group.suite, content, verifierOf(group))
  const ref = proposalRef(group.suite, content)
  if (group.proposals.has(hex(ref))) throw new MlsError('duplicate', 'proposal is known')
  const sent = { proposal: content.framed.content.proposal, sender: content.framed.sender, ref }
  await validateProposal(group, sent, policy)
  return { sent, group: { ...group, proposals: new Map([...group.proposals, [hex(ref), sent]]) } }
}

/** The group after a commit (RFC 9420 section 12.4.2), with what the commit changed. `group` is left as it is. */
export const afterCommit = async (
  group: PublicGroup,
  message: PublicMessage,
  policy: CommitPolicy,
): Promise<{ readonly group: PublicGroup; readonly staged: StagedCommit }> => {
  const staged = await stageCommit(group, contentOf(group, message), policy)
  const { context, tree, interimTranscriptHash } = staged
  return { staged, group: { ...group, context, tree, interimTranscriptHash, proposals: new Map() } }
}

/**
 * The group of a GroupInfo (RFC 9420 section 12.4.3) and a tree that were verified before they were stored. Nobody is judged again; only the tree hash
 * is compared, so that a damaged store is noticed.
 */
export const resumeGroup = ({ context, confirmationTag }: GroupInfo, ratchetTree: Bytes): PublicGroup => {
  const suite = suiteOf(context.suite)
  const tree = decodeTree(suite, ratchetTree)
  if (!equal(tree.treeHash(), context.treeHash)) throw new MlsError('invalid', 'tree hash')
  const interim = interimTranscriptHash(suite, context.confirmedTranscriptHash, confirmationTag)
  return { suite, context, tree, interimTranscriptHash: interim, proposals: new Map() }
}

/** The group with proposals (RFC 9420 section 12.1) that `afterProposal` accepted in this epoch. */
export const withProposals = (group: PublicGroup, messages: readonly PublicMessage[]): PublicGroup => {
  const proposals = new Map(group.proposals)
  for (const message of messages) {
    const { framed } = message
    if (framed.content.kind !== 'proposal') throw new MlsError('usage', 'not a proposal')
    const ref = proposalRef(group.suite, contentOf(group, message))
    proposals.set(hex(ref), { proposal: framed.content.proposal, sender: framed.sender, ref })
  }
  return { ...group, proposals }
}
