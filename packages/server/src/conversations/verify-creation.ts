/** Verifying what opens a conversation: a group of one, which is the sender's device, at epoch 0, with a policy that fits. */
import { readPolicy, Refusal, type AccountId, type ConversationId, type ConversationKind } from '@tacit/contract'
import {
  changedNodes,
  expectContextExtensions,
  expectPublishable,
  policyOf,
  readGroupInfo,
  readMessage,
  type GroupInfo,
  type NodeChange,
  type PublicGroup,
} from '@tacit/mls/public'
import { expectGroupOf, expectSmallNodes, type GroupCourt, type Sender } from './group-court.ts'
import { judgingBytes } from './group-refusals.ts'

export interface Creation {
  readonly conversation: ConversationId
  readonly kind: ConversationKind
  readonly peer?: AccountId | undefined
  readonly groupInfo: Uint8Array
  readonly ratchetTree: Uint8Array
}

/** Refuses `malformed`, `unsupported`, `invalid_handshake`, `invalid_credential`, `not_allowed`. */
export async function verifyCreation(
  court: GroupCourt,
  { asked, sender }: { readonly asked: Creation; readonly sender: Sender },
): Promise<{ readonly group: PublicGroup; readonly nodes: readonly NodeChange[] }> {
  const { groupInfo: info } = await judgingBytes(() => readMessage(asked.groupInfo, 'group_info'))
  expectGroupOf(asked.conversation, info.context.groupId)
  court.expectSuite(info.context.suite)
  const group = await judgingBytes(() => readFirst(court, info, asked.ratchetTree))
  await court.expectOwn(group.tree.leaf(0), sender)
  expectPolicyFor(asked, { policy: policyOf(info.context.extensions), creator: sender.account })
  const nodes = changedNodes(undefined, group.tree)
  expectSmallNodes(nodes)
  return { group, nodes }
}

async function readFirst(court: GroupCourt, info: GroupInfo, ratchetTree: Uint8Array): Promise<PublicGroup> {
  const { context } = info
  expectContextExtensions(context.extensions)
  const group = await readGroupInfo(info, court.policy, ratchetTree)
  expectPublishable(group.suite, info)
  const isNew = context.epoch === 0n && context.confirmedTranscriptHash.length === 0
  if (!isNew || group.tree.leafCount !== 1) throw new Refusal('invalid_handshake')
  return group
}

/** What the server is told in the clear must be what the members will read in the group. */
function expectPolicyFor({ kind, peer }: Creation, { policy, creator }: { policy: Uint8Array; creator: AccountId }): void {
  const read = readPolicy(policy)
  const people = peer ? [creator, peer] : [creator]
  const fits = read?.kind === kind && read.admins.length === people.length && people.every((account) => read.admins.includes(account))
  if (!fits) throw new Refusal('not_allowed', { field: 'policy' })
}
