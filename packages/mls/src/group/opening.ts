/** What comes in from the log: application messages, proposals, commits (the `open` of the port). */
import type { AuthenticateLeaf, Bytes, Group, JudgeCommit, Member, MembershipChange, Opened } from '../port.ts'
import { equal } from '../crypto/bytes.ts'
import { MlsError } from '../errors.ts'
import { credentialBytes } from '../public/credential.ts'
import { readFramingHeader } from '../public/framing.ts'
import type { LeafPolicy } from '../public/leaf-validation.ts'
import { readMessage } from '../public/message.ts'
import type { AuthenticatedContent } from '../public/message.ts'
import { applyProposals } from '../public/proposal-list.ts'
import type { SentProposal } from '../public/proposal-list.ts'
import type { StagedCommit } from '../public/staged-commit.ts'
import { activeStateOf, changesOf, groupOf, memberOf } from './handle.ts'
import { snapshotOf } from './persist.ts'
import { processCommit } from './process-commit.ts'
import { expectAtMost, expectContextExtensions, LIMITS, policyOf } from './profile.ts'
import { expectPlace, openPrivate, openPublic, receiveProposal } from './receive.ts'
import { messageDelta, proposalDelta } from './slots.ts'
import type { GroupState } from './state.ts'

export interface Hooks {
  readonly authenticate: AuthenticateLeaf
  readonly judge: JudgeCommit
  readonly now: bigint
}

export interface OpenRules {
  readonly maxLifetime: bigint
  /** Skipped message keys kept per sender. */
  readonly skipped: number
}

/** A hook that fails, in whatever way, says no. */
export const answerOf = async (ask: () => Promise<boolean>): Promise<boolean> => {
  try {
    return (await ask()) === true
  } catch {
    return false
  }
}

export const guardedAuthenticate =
  (authenticate: AuthenticateLeaf): AuthenticateLeaf =>
  (leaf) =>
    answerOf(() => authenticate({ credential: leaf.credential.slice(), signatureKey: leaf.signatureKey.slice() }))

const expectJudged = async (judge: JudgeCommit, judged: Parameters<JudgeCommit>[0]): Promise<void> => {
  if (!(await answerOf(() => judge(judged)))) throw new MlsError('policy', 'refused by policy')
}

/** Opens one log entry. Group and epoch are judged from the clear header, before anything is decrypted. */
export const openEntry = async (group: Group, entry: Bytes, use: { hooks: Hooks; rules: OpenRules }): Promise<Opened> => {
  const state = activeStateOf(group)
  expectAtMost('message', entry)
  const message = entry.slice()
  const header = readFramingHeader(message)
  const late = state.past?.context.epoch === header.epoch && header.contentType === 'application'
  if (!late || !equal(header.groupId, state.context.groupId)) expectPlace(state, header)
  if (header.wireFormat === 'private') return openMessage(state, message, use.rules)
  if (header.sender?.kind !== 'member' && header.sender?.kind !== 'new_member_commit') {
    throw new MlsError('policy', 'proposals from outside the group are not taken')
  }
  const content = await openPublic(state, readMessage(message, 'public').message)
  const incoming = { group, state, content, hooks: use.hooks, policy: policyFrom(use.hooks, use.rules) }
  return content.framed.content.kind === 'proposal' ? openProposal(incoming) : openCommit(incoming)
}

const policyFrom = (hooks: Hooks, { maxLifetime }: OpenRules): LeafPolicy => ({
  authenticate: guardedAuthenticate(hooks.authenticate),
  now: hooks.now,
  maxLifetime,
})

/** Opens an application message. */
export const openMessage = async (
  state: GroupState,
  encoded: Bytes,
  rules: Pick<OpenRules, 'skipped'>,
): Promise<Opened & { readonly kind: 'message' }> => {
  const { message } = readMessage(encoded, 'private')
  if (message.contentType !== 'application') throw new MlsError('unsupported', 'handshakes travel in the clear here')
  const opened = await openPrivate(state, message, { forward: LIMITS.forward, skipped: rules.skipped })
  const { framed } = opened.content
  if (framed.content.kind !== 'application') throw new MlsError('malformed', 'content of another kind than announced')
  const treeOf = (at: GroupState) => (opened.late ? at.past?.secretTree : at.secretTree)
  const [before, after] = [treeOf(state), treeOf(opened.state)]
  if (!before || !after) throw new MlsError('stale_epoch', 'that epoch is over')
  return {
    kind: 'message',
    group: groupOf(opened.state),
    sender: memberOf(opened.leafIndex, opened.leaf),
    payload: framed.content.data,
    authenticatedData: framed.authenticatedData,
    persist: messageDelta(message.epoch, { before, after }, opened.leafIndex),
  }
}

interface Incoming {
  readonly group: Group
  readonly state: GroupState
  readonly content: AuthenticatedContent
  readonly hooks: Hooks
  readonly policy: LeafPolicy
}

const senderOf = (state: GroupState, content: AuthenticatedContent): Member => {
  const { sender } = content.framed
  const leaf = sender.kind === 'member' ? state.tree.leaf(sender.leafIndex) : undefined
  if (!leaf || sender.kind !== 'member') throw new MlsError('invalid', 'sender is no member')
  return memberOf(sender.leafIndex, leaf)
}

const PROPOSALS_TAKEN: ReadonlySet<string> = new Set(['add', 'update', 'remove', 'group_context_extensions'])

const openProposal = async ({ group, state, content, hooks, policy }: Incoming): Promise<Opened> => {
  const by = senderOf(state, content)
  const { state: next, sent } = await receiveProposal(state, content, policy)
  const { proposal } = sent
  if (!PROPOSALS_TAKEN.has(proposal.kind)) throw new MlsError('unsupported', `proposal ${proposal.kind}`)
  if (proposal.kind === 'group_context_extensions') expectContextExtensions(proposal.extensions)
  expectRoom(state, sent)
  const { changes, proposers } = changesOf(state, applyProposals(state, [sent]).changes, by)
  const policyProposed = proposal.kind === 'group_context_extensions' ? { policy: policyOf(proposal.extensions).slice() } : {}
  await expectJudged(hooks.judge, { group, by, external: false, changes, proposers, ...policyProposed })
  return {
    kind: 'proposal',
    group: groupOf(next),
    sender: by,
    ...(proposal.kind === 'remove' ? { removes: proposal.removed } : {}),
    authenticatedData: content.framed.authenticatedData,
    persist: proposalDelta(sent),
  }
}

/** Nobody fills another's store: few proposals per member, and no removal asked for twice. */
const expectRoom = (state: GroupState, { sender, proposal }: SentProposal): void => {
  if (sender.kind !== 'member') throw new MlsError('policy', 'proposal from outside the group')
  const own = [...state.proposals.values()].filter((known) => known.sender.kind === 'member' && known.sender.leafIndex === sender.leafIndex)
  if (own.length >= LIMITS.proposalsPerMember) throw new MlsError('too_large', 'too many proposals of one member')
  const again = own.some(
    (known) => known.proposal.kind === 'remove' && proposal.kind === 'remove' && known.proposal.removed === proposal.removed,
  )
  if (again) throw new MlsError('duplicate', 'removal is proposed already')
}

const openCommit = async ({ group, state, content, hooks, policy }: Incoming): Promise<Opened> => {
  const { sender } = content.framed
  if (sender.kind === 'member' && sender.leafIndex === state.ownLeaf)
    throw new MlsError('usage', 'an own commit is merged by taking its next group')
  const verdict = async (staged: StagedCommit): Promise<void> => {
    const seen = viewOf(state, staged)
    if (staged.reinit || staged.psks.length > 0) throw new MlsError('unsupported', 'groups of this profile use neither reinit nor PSKs')
    expectContextExtensions(staged.context.extensions)
    const changesPolicy =
      staged.context.extensions === state.context.extensions ? {} : { policy: policyOf(staged.context.extensions).slice() }
    await expectJudged(hooks.judge, {
      group,
      by: seen.by,
      external: staged.external,
      changes: seen.changes,
      proposers: seen.proposers,
      ...changesPolicy,
    })
  }
  const findPsk = (): Promise<undefined> => Promise.resolve(undefined)
  // Whose old leaf a newcomer may replace is for the judge, who sees both certificates.
  const rules = { ...policy, findPsk, judge: verdict, isSameClient: () => true }
  const { state: next, staged } = await processCommit(state, content, rules)
  const seen = viewOf(state, staged)
  return {
    kind: 'commit',
    group: groupOf(next),
    sender: seen.by,
    external: staged.external,
    changes: seen.changes,
    policyChanged: !equal(policyOf(staged.context.extensions), policyOf(state.context.extensions)),
    authenticatedData: content.framed.authenticatedData,
    persist: snapshotOf(next),
  }
}

/** A commit as callers see it: a path that brings another identity counts as an update of the committer. */
const viewOf = (state: GroupState, staged: StagedCommit): { by: Member; changes: MembershipChange[]; proposers: Member[] } => {
  const before = staged.external ? undefined : state.tree.leaf(staged.committer)
  const after = staged.committerLeaf
  const by = memberOf(staged.committer, before ?? after)
  const { changes, proposers } = changesOf(state, staged.changes, by)
  const renewed =
    before &&
    !(equal(before.signatureKey, after.signatureKey) && equal(credentialBytes(before.credential), credentialBytes(after.credential)))
  if (!renewed) return { by, changes, proposers }
  return {
    by,
    changes: [...changes, { kind: 'updated', before: by, after: memberOf(staged.committer, after) }],
    proposers: [...proposers, by],
  }
}
