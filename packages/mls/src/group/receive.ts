/** From a message on the wire to authenticated content: group, epoch, tags, decryption, signature, in this order. */
import { equal, hex } from '../crypto/bytes.ts'
import type { Bytes } from '../port.ts'
import { MlsError } from '../errors.ts'
import { membershipTag, verifyContent } from '../public/content-auth.ts'
import type { Verifier } from '../public/content-auth.ts'
import type { PrivateMessage } from '../public/framing.ts'
import type { AuthenticatedContent, PublicMessage } from '../public/message.ts'
import { proposalRef } from '../public/message.ts'
import type { SentProposal } from '../public/proposal-list.ts'
import { validateProposal } from '../public/proposal-list.ts'
import { verifierOf } from '../public/staged-commit.ts'
import type { LeafPolicy } from '../public/leaf-validation.ts'
import { openContent } from './private-message.ts'
import type { MessageSecrets } from './private-message.ts'
import type { RatchetLimits } from './secret-tree.ts'
import { messageSecretsOf } from './state.ts'
import type { GroupState, PastEpoch, PastLeaf } from './state.ts'

/** Throws `unknown_group`, `stale_epoch` or `future_epoch` unless the message is for this epoch of this group. */
export const expectPlace = (state: GroupState, at: { groupId: Bytes; epoch: bigint }): void => {
  if (!equal(at.groupId, state.context.groupId)) throw new MlsError('unknown_group', 'message of another group')
  if (at.epoch < state.context.epoch) throw new MlsError('stale_epoch', `epoch ${at.epoch} is over`)
  if (at.epoch > state.context.epoch) throw new MlsError('future_epoch', `epoch ${at.epoch} has not begun`)
}

/** Checks a PublicMessage's place and membership tag. Its signature is checked here for proposals, in staging for commits. */
export const openPublic = async (state: GroupState, { framed, auth, membershipTag: tag }: PublicMessage): Promise<AuthenticatedContent> => {
  expectPlace(state, framed)
  const content: AuthenticatedContent = { wireFormat: 'public', framed, auth }
  const { suite, context, secrets } = state
  if (framed.sender.kind === 'member') {
    if (!state.tree.leaf(framed.sender.leafIndex))
      throw new MlsError('invalid', `sender leaf ${framed.sender.leafIndex} is blank or out of range`)
    const expected = await membershipTag(suite, content, { context, membershipKey: secrets.membership })
    if (!tag || !equal(tag, expected)) throw new MlsError('auth_failed', 'membership tag')
  }
  if (framed.content.kind === 'proposal') await verifyContent(suite, content, verifierOf(state))
  return content
}

export interface OpenedPrivate {
  readonly state: GroupState
  readonly content: AuthenticatedContent
  readonly leafIndex: number
  readonly leaf: PastLeaf
  /** The message is of the epoch before. */
  readonly late: boolean
}

/** Decrypts and verifies a PrivateMessage; application data of the epoch before is let through. */
export const openPrivate = async (state: GroupState, message: PrivateMessage, limits: RatchetLimits): Promise<OpenedPrivate> => {
  const { past, ownLeaf } = state
  const late = past !== undefined && message.contentType === 'application' && message.epoch === past.context.epoch
  if (!late) expectPlace(state, message)
  else if (!equal(message.groupId, past.context.groupId)) throw new MlsError('unknown_group', 'message of another group')
  const epoch = late ? pastView(state, past) : currentView(state)
  const isMember = (leafIndex: number): boolean => epoch.leafAt(leafIndex) !== undefined
  const opened = await openContent(epoch.secrets, message, { isMember, ownLeaf, limits })
  const leaf = epoch.leafAt(opened.leafIndex)
  if (!leaf) throw new MlsError('invalid', 'sender leaf is blank')
  await verifyContent(state.suite, opened.content, epoch.verifier)
  return { state: epoch.advance(opened.secretTree), content: opened.content, leafIndex: opened.leafIndex, leaf, late }
}

interface EpochView {
  readonly secrets: MessageSecrets
  readonly verifier: Verifier
  readonly leafAt: (leafIndex: number) => PastLeaf | undefined
  readonly advance: (secretTree: MessageSecrets['secretTree']) => GroupState
}

const currentView = (state: GroupState): EpochView => ({
  secrets: messageSecretsOf(state),
  verifier: verifierOf(state),
  leafAt: (leafIndex) => state.tree.leaf(leafIndex),
  advance: (secretTree) => ({ ...state, secretTree }),
})

const pastView = (state: GroupState, past: PastEpoch): EpochView => {
  const leafAt = (leafIndex: number): PastLeaf | undefined => past.leaves[leafIndex]
  return {
    secrets: { suite: state.suite, senderData: past.senderData, secretTree: past.secretTree },
    verifier: { context: past.context, keyAt: (leafIndex) => leafAt(leafIndex)?.signatureKey },
    leafAt,
    advance: (secretTree) => ({ ...state, past: { ...past, secretTree } }),
  }
}

/** Stores a verified proposal until a commit names it. Throws `invalid` when no commit could. */
export const receiveProposal = async (
  state: GroupState,
  content: AuthenticatedContent,
  policy: LeafPolicy,
): Promise<{ state: GroupState; sent: SentProposal & { readonly ref: Bytes } }> => {
  const { framed } = content
  if (framed.content.kind !== 'proposal') throw new MlsError('invalid', 'not a proposal')
  const ref = proposalRef(state.suite, content)
  const key = hex(ref)
  if (state.proposals.has(key)) throw new MlsError('duplicate', 'proposal is known')
  const sent = { proposal: framed.content.proposal, sender: framed.sender, ref }
  await validateProposal(state, sent, policy)
  return { sent, state: { ...state, proposals: new Map([...state.proposals, [key, sent]]) } }
}
