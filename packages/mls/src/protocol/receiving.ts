/** Handshakes of every kind and in both framings, as a member receives them (RFC 9420 sections 6, 12.1.8 and 12.4.2). */
import type { AuthenticateLeaf, Bytes, Group, Opened, Persist, Wipe } from '../port.ts'
import { equal } from '../crypto/bytes.ts'
import { MlsError } from '../errors.ts'
import { activeStateOf, groupOf, stateOf } from '../group/handle.ts'
import type { FindPsk } from '../group/key-schedule.ts'
import { answerOf, guardedAuthenticate, openMessage } from '../group/opening.ts'
import { snapshotOf } from '../group/persist.ts'
import { processCommit } from '../group/process-commit.ts'
import { expectAtMost, LIMITS } from '../group/profile.ts'
import { expectPlace, openPrivate, openPublic, receiveProposal } from '../group/receive.ts'
import { messageDelta, proposalDelta } from '../group/slots.ts'
import { NO_RETENTION, retentionOf } from '../group/secret-tree.ts'
import { forgetSkipped } from '../group/skipped.ts'
import { spentBetween } from '../group/spent.ts'
import type { GroupState } from '../group/state.ts'
import { readFramingHeader } from '../public/framing.ts'
import type { Sender } from '../public/framing.ts'
import { readMessage } from '../public/message.ts'
import type { AuthenticatedContent } from '../public/message.ts'
import type { Proposal } from '../public/proposal.ts'
import type { StagedCommit } from '../public/staged-commit.ts'

/** What the application decides about what comes in, and what it adds (RFC 9420 sections 5.3.1, 8.4 and 9.2). */
export interface ReceiveHooks {
  readonly authenticate: AuthenticateLeaf
  /** Asked about a commit that is valid in public, and about a proposal before it is kept. */
  readonly judge: (judged: {
    readonly group: Group
    readonly sender: Sender
    readonly staged?: StagedCommit
    readonly proposal?: Proposal
  }) => Promise<boolean>
  /** Seconds; judges the lifetimes of added key packages. */
  readonly now: bigint
  readonly findPsk?: FindPsk
  /** Keys of skipped messages kept per sender; 0 unless given. */
  readonly skippedKeys?: number
  /** Seconds for which they are kept; a day unless given. */
  readonly skippedLifetime?: bigint
}

/** What came in (RFC 9420 section 6), verified, and the group after it. */
export type Received =
  | (Opened & { readonly kind: 'message' })
  | {
      readonly kind: 'proposal'
      readonly group: Group
      readonly sender: Sender
      readonly proposal: Proposal
      readonly persist: Persist
      readonly wipe: Wipe
    }
  | {
      readonly kind: 'commit'
      readonly group: Group
      readonly sender: Sender
      readonly staged: StagedCommit
      readonly persist: Persist
      readonly wipe: Wipe
    }

const FOREVER = 2n ** 64n - 1n

/** Receives one message. Group and epoch are judged from its clear header, before anything is decrypted. */
export const receive = async (group: Group, entry: Bytes, hooks: ReceiveHooks): Promise<Received> => {
  const state = activeStateOf(group)
  expectAtMost('message', entry)
  const message = entry.slice()
  const header = readFramingHeader(message)
  const late = header.contentType === 'application' && state.past?.context.epoch === header.epoch
  if (!late || !equal(header.groupId, state.context.groupId)) expectPlace(state, header)
  if (header.contentType === 'application') return openMessage(state, message, { skipped: retentionOf(hooks, hooks.now) })
  const opened = await openHandshake(state, message, header.wireFormat)
  const { kind } = opened.content.framed.content
  if (kind !== header.contentType) throw new MlsError('malformed', 'content of another kind than announced')
  return kind === 'proposal' ? keepProposal(group, opened, hooks) : applyCommit(group, opened, hooks)
}

interface OpenedHandshake {
  readonly state: GroupState
  readonly content: AuthenticatedContent
  /** What the rows of the secret tree become, for a PrivateMessage. */
  readonly persist: Persist
  readonly wipe: Wipe
}

const openHandshake = async (state: GroupState, message: Bytes, wireFormat: 'public' | 'private'): Promise<OpenedHandshake> => {
  if (wireFormat === 'public') {
    const content = await openPublic(state, readMessage(message, 'public').message)
    return { state, content, persist: { kind: 'delta', slots: [] }, wipe: [] }
  }
  const opened = await openPrivate(state, readMessage(message, 'private').message, { forward: LIMITS.forward, skipped: NO_RETENTION })
  const trees = { before: state.secretTree, after: opened.state.secretTree }
  return { state: opened.state, content: opened.content, ...messageDelta(state.context.epoch, trees, opened.leafIndex) }
}

const policyOf = ({ authenticate, now }: ReceiveHooks) => ({ authenticate: guardedAuthenticate(authenticate), now, maxLifetime: FOREVER })

const keepProposal = async (group: Group, opened: OpenedHandshake, hooks: ReceiveHooks): Promise<Received> => {
  const { sender } = opened.content.framed
  const { state, sent } = await receiveProposal(opened.state, opened.content, policyOf(hooks))
  const { proposal } = sent
  if (!(await answerOf(() => hooks.judge({ group, sender, proposal })))) throw new MlsError('policy', 'refused by policy')
  const slots = [...opened.persist.slots, ...proposalDelta(sent).slots]
  return { kind: 'proposal', group: groupOf(state), sender, proposal, persist: { kind: 'delta', slots }, wipe: opened.wipe }
}

const applyCommit = async (group: Group, opened: OpenedHandshake, hooks: ReceiveHooks): Promise<Received> => {
  const { sender } = opened.content.framed
  if (sender.kind === 'member' && sender.leafIndex === opened.state.ownLeaf)
    throw new MlsError('usage', 'an own commit is merged by taking its next group')
  const judge = async (staged: StagedCommit): Promise<void> => {
    if (!(await answerOf(() => hooks.judge({ group, sender, staged })))) throw new MlsError('policy', 'refused by policy')
  }
  const findPsk = hooks.findPsk ?? (() => Promise.resolve(undefined))
  const { state, staged } = await processCommit(opened.state, opened.content, { ...policyOf(hooks), findPsk, judge })
  return { kind: 'commit', group: groupOf(state), sender, staged, persist: snapshotOf(state), wipe: spentBetween(stateOf(group), state) }
}

/** Drops keys of skipped messages that are older than `skippedLifetime` at `now`, both in seconds. */
export const forget = async (
  group: Group,
  use: { readonly now: bigint; readonly skippedLifetime?: bigint },
): Promise<{ readonly group: Group; readonly persist: Persist; readonly wipe: Wipe }> => {
  const { state, slots, wipe } = forgetSkipped(activeStateOf(group), retentionOf(use, use.now))
  return { group: groupOf(state), persist: { kind: 'delta', slots }, wipe }
}
