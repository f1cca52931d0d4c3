/** What comes in from the log: application messages, proposals, commits (the `open` of the port). */
import type { AuthenticateLeaf, Bytes, Group, JudgeCommit, Member, Opened } from '../port.ts'
import { equal } from '../crypto/bytes.ts'
import { MlsError } from '../errors.ts'
import { judgedCommit, judgedProposal, memberOf } from '../public/members.ts'
import { readFramingHeader } from '../public/framing.ts'
import type { LeafPolicy } from '../public/leaf-validation.ts'
import { readMessage } from '../public/message.ts'
import type { AuthenticatedContent } from '../public/message.ts'
import { expectCommitOfProfile, expectProposalOfProfile, policyOf } from '../public/profile.ts'
import type { StagedCommit } from '../public/staged-commit.ts'
import { activeStateOf, groupOf } from './handle.ts'
import { snapshotOf } from './persist.ts'
import { processCommit } from './process-commit.ts'
import { expectAtMost, LIMITS } from './profile.ts'
import { expectPlace, openPrivate, openPublic, receiveProposal } from './receive.ts'
import { messageDelta, proposalDelta } from './slots.ts'
import type { Retention } from './secret-tree.ts'
import { spentBetween } from './spent.ts'
import type { GroupState } from './state.ts'

export interface Hooks {
  readonly authenticate: AuthenticateLeaf
  readonly judge: JudgeCommit
  readonly now: bigint
}

export interface OpenRules {
  readonly maxLifetime: bigint
  readonly skipped: Retention
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
  // Reading copies the entry, before anything is waited for: the caller may change it then.
  const header = readFramingHeader(entry)
  const late = state.past?.context.epoch === header.epoch && header.contentType === 'application'
  if (!late || !equal(header.groupId, state.context.groupId)) expectPlace(state, header)
  if (header.wireFormat === 'private') return openMessage(state, entry, use.rules)
  if (header.sender?.kind !== 'member' && header.sender?.kind !== 'new_member_commit') {
    throw new MlsError('policy', 'proposals from outside the group are not taken')
  }
  const content = await openPublic(state, readMessage(entry, 'public').message)
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
    ...messageDelta(message.epoch, { before, after }, opened.leafIndex),
    sender: memberOf(opened.leafIndex, opened.leaf),
    payload: framed.content.data,
    authenticatedData: framed.authenticatedData,
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

const openProposal = async ({ group, state, content, hooks, policy }: Incoming): Promise<Opened> => {
  const by = senderOf(state, content)
  const { state: next, sent } = await receiveProposal(state, content, policy)
  expectProposalOfProfile(state, sent)
  await expectJudged(hooks.judge, { group, ...judgedProposal(state, sent, by) })
  const { proposal } = sent
  return {
    kind: 'proposal',
    group: groupOf(next),
    sender: by,
    ...(proposal.kind === 'remove' ? { removes: proposal.removed } : {}),
    authenticatedData: content.framed.authenticatedData,
    persist: proposalDelta(sent),
    wipe: [],
  }
}

const openCommit = async ({ group, state, content, hooks, policy }: Incoming): Promise<Opened> => {
  const { sender } = content.framed
  if (sender.kind === 'member' && sender.leafIndex === state.ownLeaf)
    throw new MlsError('usage', 'an own commit is merged by taking its next group')
  const verdict = async (staged: StagedCommit): Promise<void> => {
    expectCommitOfProfile(staged)
    await expectJudged(hooks.judge, { group, ...judgedCommit(state, staged) })
  }
  const findPsk = (): Promise<undefined> => Promise.resolve(undefined)
  // Whose old leaf a newcomer may replace is for the judge, who sees both certificates.
  const rules = { ...policy, findPsk, judge: verdict, isSameClient: () => true }
  const { state: next, staged } = await processCommit(state, content, rules)
  const seen = judgedCommit(state, staged)
  return {
    kind: 'commit',
    group: groupOf(next),
    sender: seen.by,
    external: staged.external,
    changes: seen.changes,
    policyChanged: !equal(policyOf(staged.context.extensions), policyOf(state.context.extensions)),
    authenticatedData: content.framed.authenticatedData,
    persist: snapshotOf(next),
    wipe: spentBetween(state, next),
  }
}
