/**
 * Handshakes from others: proposals and commits, always PublicMessages of the current epoch. Everything is judged before
 * `ts-mls` may apply it, and the tree is checked again after.
 */
import { bytesToBase64, emptyPskIndex, processPublicMessage } from 'ts-mls'
import type { ClientState, Commit, LeafNode, PublicMessage } from 'ts-mls'
import { processProposal } from 'ts-mls/clientState.js'
import { makeProposalRef } from 'ts-mls/authenticatedContent.js'
import { verifyLeafNodeSignature } from 'ts-mls/leafNode.js'
import { unprotectPublicMessage } from 'ts-mls/messageProtectionPublic.js'
import { MlsError } from '../errors.ts'
import type { AuthenticateLeaf, Bytes, Group, JudgeCommit, Member, MembershipChange, Opened } from '../port.ts'
import { landingLeaf, outcomeOf, removals, resolveProposals } from './changes.ts'
import { configFor, expelled, groupOf, memberAt, settled } from './group.ts'
import { placeLeaf } from './join.ts'
import { expectCurrent, expectKeyPackage } from './key-package.ts'
import { expectKemKey } from './keys.ts'
import { expectAuthentic, expectLeaf, expectYes, memberOf } from './leaf.ts'
import { proposalDelta, snapshotOf } from './persist.ts'
import type { Suite } from './suite.ts'
import { expectDistinctKeys, expectMatchingKeys } from './tree.ts'
import { decodePublic, sameBytes } from './wire.ts'

export interface Hooks {
  readonly authenticate: AuthenticateLeaf
  readonly judge: JudgeCommit
  readonly now: bigint
}

interface Incoming {
  readonly suite: Suite
  readonly group: Group
  readonly state: ClientState
  readonly message: PublicMessage
  readonly hooks: Hooks
}

/** A member may have this many proposals waiting per epoch, so that nobody fills another's store. */
const MAX_PENDING_PER_MEMBER = 16

/** Opens a PublicMessage of the group's own epoch. */
export const openHandshake = async (
  suite: Suite,
  group: Group,
  entry: { readonly state: ClientState; readonly bytes: Bytes; readonly hooks: Hooks },
): Promise<Opened> => {
  const message = decodePublic(entry.bytes)
  const incoming: Incoming = { suite, group, state: entry.state, message, hooks: entry.hooks }
  const { sender, contentType } = message.content
  if (sender.senderType === 'new_member_commit') return await openExternalCommit(incoming)
  if (sender.senderType !== 'member') throw new MlsError('unsupported', 'sender type')
  const by = memberAt(group, sender.leafIndex)
  if (by === undefined) throw new MlsError('invalid', 'sender is no member')
  if (contentType === 'proposal') return await openProposal(incoming, by)
  if (by.leafIndex === group.ownLeafIndex) throw new MlsError('usage', 'an own commit is merged by taking its next group')
  return await openCommit(incoming, by)
}

const openProposal = async ({ suite, group, state, message, hooks }: Incoming, by: Member): Promise<Opened> => {
  const { content } = message
  if (content.contentType !== 'proposal' || content.proposal.proposalType !== 'remove') throw new MlsError('unsupported', 'proposal type')
  const authentic = await unprotectPublicMessage(state.keySchedule.membershipKey, state.groupContext, state.ratchetTree, message, suite.cs)
  const [removal] = removals(group, [{ proposal: content.proposal, by }])
  if (removal === undefined) throw new MlsError('invalid', 'removes nobody')
  const ref = bytesToBase64(await makeProposalRef(authentic, suite.cs.hash))
  const own = group.pendingProposals.filter((pending) => pending.by.leafIndex === by.leafIndex)
  if (ref in state.unappliedProposals || own.some(({ removes }) => removes === removal.member.leafIndex))
    throw new MlsError('duplicate', 'proposed already')
  if (own.length >= MAX_PENDING_PER_MEMBER) throw new MlsError('too_large', 'too many proposals')
  await expectJudged(hooks, { group, by, external: false, changes: [{ kind: 'removed', member: removal.member }], proposers: [by] })
  const next = await processProposal(state, authentic, content.proposal, suite.cs.hash)
  return {
    kind: 'proposal',
    group: groupOf(next),
    sender: by,
    removes: removal.member.leafIndex,
    authenticatedData: content.authenticatedData,
    persist: proposalDelta(next, ref),
    wipe: [],
  }
}

const openCommit = async (incoming: Incoming, by: Member): Promise<Opened> => {
  const { suite, group, state, hooks } = incoming
  const commit = await authenticCommit(incoming)
  const outcome = outcomeOf(group, resolveProposals(group, state, { proposals: commit.proposals, by }), by)
  if (outcome.needsPath && commit.path === undefined) throw new MlsError('invalid', 'commit without a path')
  const arrivals: LeafNode[] = []
  for (const keyPackage of outcome.added) {
    await expectKeyPackage(suite, keyPackage)
    expectCurrent(keyPackage, hooks.now)
    arrivals.push(keyPackage.leafNode)
  }
  if (commit.path !== undefined) arrivals.push(commit.path.leafNode)
  await expectArrivals(suite, arrivals, hooks.authenticate)
  expectPathKeys(suite, commit)
  const renewed = commit.path === undefined ? [] : identityChange(by, commit.path.leafNode)
  const changes = [...outcome.changes, ...renewed]
  const proposers = [...outcome.proposers, ...renewed.map(() => by)]
  const policy = outcome.policy === undefined ? {} : { policy: outcome.policy }
  await expectJudged(hooks, { group, by, external: false, changes, proposers, ...policy })
  const policyChanged = outcome.policy !== undefined && !sameBytes(outcome.policy, group.policy)
  return await advance(incoming, { by, external: false, changes, policyChanged, arrivals })
}

/** RFC 9420 section 12.4.3.2: one external_init, at most one removal, all inline. Whose leaf goes is for the judge. */
const openExternalCommit = async (incoming: Incoming): Promise<Opened> => {
  const { suite, group, state, message, hooks } = incoming
  const { content } = message
  if (content.contentType !== 'commit' || content.commit.path === undefined) throw new MlsError('invalid', 'external commit without a path')
  const { leafNode } = content.commit.path
  expectLeaf(suite, leafNode)
  const { proposals } = await authenticCommit(incoming)
  const inline = proposals.flatMap((entry) => (entry.proposalOrRefType === 'proposal' ? [entry.proposal] : []))
  const count = (type: string): number => inline.filter(({ proposalType }) => proposalType === type).length
  const wellFormed =
    inline.length === proposals.length && count('external_init') === 1 && count('remove') === inline.length - 1 && inline.length <= 2
  if (!wellFormed) throw new MlsError('invalid', 'proposals of an external commit')
  const targets = inline.flatMap((proposal) => (proposal.proposalType === 'remove' ? [memberAt(group, proposal.remove.removed)] : []))
  if (targets.includes(undefined)) throw new MlsError('invalid', 'removes an empty leaf')
  const gone = targets.flatMap((member) => (member === undefined ? [] : [member]))
  const by = memberOf(
    landingLeaf(
      group,
      gone.map((member) => ({ member, by: member })),
    ),
    leafNode,
  )
  expectPathKeys(suite, content.commit)
  await expectArrivals(suite, [leafNode], hooks.authenticate)
  const changes: MembershipChange[] = [...gone.map((member) => ({ kind: 'removed' as const, member })), { kind: 'added', member: by }]
  await expectJudged(hooks, { group, by, external: true, changes, proposers: changes.map(() => by) })
  const result = { by, external: true, changes, policyChanged: false, arrivals: [leafNode] }
  if (!gone.some(({ leafIndex }) => leafIndex === group.ownLeafIndex)) return await advance(incoming, result)
  // ts-mls does not foresee that an external commit removes its reader, and would look for a path secret.
  if (!(await verifyLeafNodeSignature(leafNode, state.groupContext.groupId, by.leafIndex, suite.cs.signature)))
    throw new MlsError('auth_failed', 'leaf signature')
  return opened(incoming, result, expelled(state, placeLeaf(state.ratchetTree, leafNode, group.ownLeafIndex).tree))
}

/** The commit of a PublicMessage whose signature, and membership tag if any, hold. */
const authenticCommit = async ({ suite, state, message }: Incoming): Promise<Commit> => {
  const { content } = await unprotectPublicMessage(
    state.keySchedule.membershipKey,
    state.groupContext,
    state.ratchetTree,
    message,
    suite.cs,
  )
  if (content.contentType !== 'commit') throw new MlsError('invalid', 'not a commit')
  return content.commit
}

const expectArrivals = async (suite: Suite, arrivals: readonly LeafNode[], authenticate: AuthenticateLeaf): Promise<void> => {
  for (const leaf of arrivals) {
    expectLeaf(suite, leaf)
    await expectAuthentic(leaf, authenticate)
  }
}

const expectPathKeys = (suite: Suite, { path }: Commit): void => path?.nodes.forEach((node) => expectKemKey(suite, node.hpkePublicKey))

/** A path update that keeps credential and signature key changes no membership and is not reported. */
const identityChange = (before: Member, leaf: LeafNode): MembershipChange[] => {
  const after = memberOf(before.leafIndex, leaf)
  const same = sameBytes(before.credential, after.credential) && sameBytes(before.signatureKey, after.signatureKey)
  return same ? [] : [{ kind: 'updated', before, after }]
}

const expectJudged = ({ judge }: Hooks, judged: Parameters<JudgeCommit>[0]): Promise<void> =>
  expectYes(() => judge(judged), 'refused by the group policy')

interface Accepted {
  readonly by: Member
  readonly external: boolean
  readonly changes: readonly MembershipChange[]
  readonly policyChanged: boolean
  readonly arrivals: readonly LeafNode[]
}

/** Lets `ts-mls` apply a commit that was judged, and checks what it does not. */
const advance = async (incoming: Incoming, accepted: Accepted): Promise<Opened> => {
  const { suite, state, message } = incoming
  const clientConfig = configFor(accepted.arrivals.map(({ credential }) => credential))
  const { newState } = await processPublicMessage({ ...state, clientConfig }, message, emptyPskIndex, suite.cs)
  if (newState.groupActiveState.kind === 'removedFromGroup') return opened(incoming, accepted, expelled(state, newState.ratchetTree))
  expectDistinctKeys(newState.ratchetTree)
  await expectMatchingKeys(suite, newState.ratchetTree, newState.privatePath, state.privatePath)
  return opened(incoming, accepted, settled(newState))
}

const opened = ({ suite, message }: Incoming, { by, external, changes, policyChanged }: Accepted, next: ClientState): Opened => ({
  kind: 'commit',
  group: groupOf(next),
  sender: by,
  external,
  changes,
  policyChanged,
  authenticatedData: message.content.authenticatedData,
  persist: snapshotOf(suite, next),
  wipe: [],
})
