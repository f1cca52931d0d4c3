/**
 * Verifying a commit with what comes beside it, before anything is written: signatures, tree, certificates, rules, GroupInfo
 * and Welcome. What only members can check stays theirs: membership tag, confirmation tag, and whether the path secrets yield
 * the keys that are published (decision 0008).
 */
import { Refusal, type BodyOf, type DeviceId } from '@tacit/contract'
import {
  afterCommit,
  changedNodes,
  expectCommitOfProfile,
  memberOf,
  readMessage,
  verifyPublishedInfo,
  welcomesOf,
  type LeafNode,
  type NodeChange,
  type PublicGroup,
  type PublicMessage,
} from '@tacit/mls/public'
import { judgingBytes } from './group-refusals.ts'
import { expectSmallNodes, type GroupCourt, type Sender } from './group-court.ts'

export type CommitBody = BodyOf<'conversations.commit'>

/** By a member, or by a device that joins with it (RFC 9420 section 12.4.3.2). */
export type CommitKind = 'by_member' | 'by_joiner'

/** What a commit does, derived from the commit itself. */
export interface VerifiedCommit {
  /** The group of the next epoch. */
  readonly next: PublicGroup
  readonly nodes: readonly NodeChange[]
  readonly removed: readonly DeviceId[]
  /** Without the sender of an external commit. */
  readonly added: readonly (Sender & { readonly welcome: Uint8Array })[]
}

export interface CommitToVerify {
  readonly court: GroupCourt
  /** In the epoch that the commit ends. */
  readonly group: PublicGroup
  readonly sender: Sender
  readonly message: PublicMessage
  readonly body: Pick<CommitBody, 'welcome' | 'groupInfo'>
  readonly maxMembers: number
}

/** The commit as a message, and who it says that it is by. Refuses `malformed` and `unsupported`. */
export async function readCommit(bytes: Uint8Array): Promise<{ message: PublicMessage; kind: CommitKind }> {
  const { message } = await judgingBytes(() => readMessage(bytes, 'public'))
  const { sender, content } = message.framed
  if (content.kind !== 'commit') throw new Refusal('unsupported')
  if (sender.kind === 'member') return { message, kind: 'by_member' }
  if (sender.kind === 'new_member_commit') return { message, kind: 'by_joiner' }
  throw new Refusal('unsupported')
}

/** Refuses `invalid_handshake`, `invalid_credential`, `not_allowed`, `unsupported`, `too_many`, `too_large`. */
export async function verifyCommit({ court, group, sender, message, body, maxMembers }: CommitToVerify): Promise<VerifiedCommit> {
  await court.expectOwn(leafOfSender(group, message), sender)
  const { group: next, staged } = await judgingBytes(() => afterCommit(group, message, court.policy))
  await court.expectOwn(staged.committerLeaf, sender)
  await judgingBytes(() => expectCommitOfProfile(staged))
  await court.expectFairCommit(group, staged)
  const nodes = changedNodes(group.tree, next.tree)
  expectSmallNodes(nodes)
  const joins = staged.changes.some(({ kind }) => kind === 'added')
  if (joins && countLeaves(next) > maxMembers) throw new Refusal('too_many')
  const welcomes = await judgingBytes(async () => {
    await verifyPublishedInfo(group.suite, body.groupInfo, staged)
    return welcomesOf(group.suite, body.welcome ?? undefined, staged)
  })
  const added = await Promise.all(
    welcomes.map(async ({ member, bytes }) => {
      const { account, device } = await court.deviceOf(member)
      return { account, device, welcome: bytes }
    }),
  )
  const gone = staged.changes.flatMap((change) => (change.kind === 'removed' ? [change.leaf] : []))
  const removed = await Promise.all(gone.map((leaf) => court.deviceOf(memberOf(0, leaf))))
  return { next, nodes, added, removed: removed.map(({ device }) => device) }
}

const leafOfSender = ({ tree }: PublicGroup, { framed }: PublicMessage): LeafNode | undefined => {
  if (framed.sender.kind === 'member') return tree.leaf(framed.sender.leafIndex)
  return framed.content.kind === 'commit' ? framed.content.commit.path?.leaf : undefined
}

const countLeaves = ({ tree }: PublicGroup): number => [...tree.leaves()].length
