/**
 * What the proposals of a commit would do, worked out before anything takes effect. Only four kinds are allowed here: add,
 * remove, the policy (group_context_extensions), and external_init inside an external commit.
 */
import type { ClientState, KeyPackage, Proposal } from 'ts-mls'
import type { ProposalOrRef } from 'ts-mls'
import { bytesToBase64 } from 'ts-mls'
import { MlsError } from '../errors.ts'
import type { Bytes, Group, Member, MembershipChange } from '../port.ts'
import { expectPolicyOnly, memberAt } from './group.ts'
import { memberOf } from './leaf.ts'

/** A proposal with who made it: the committer when it is inline. */
export interface Authored {
  readonly proposal: Proposal
  readonly by: Member
}

/** `changes` and `proposers` run in parallel, removals before additions (RFC 9420 section 12.4.2). */
export interface Outcome {
  readonly changes: readonly MembershipChange[]
  readonly proposers: readonly Member[]
  readonly added: readonly KeyPackage[]
  readonly policy?: Bytes
  /** Whether RFC 9420 section 12.4 demands an UpdatePath. */
  readonly needsPath: boolean
}

/** Looks up references among the proposals that wait; an unknown one is `invalid`. */
export const resolveProposals = (
  group: Group,
  state: ClientState,
  list: { readonly proposals: readonly ProposalOrRef[]; readonly by: Member },
): Authored[] =>
  list.proposals.map((entry) => {
    if (entry.proposalOrRefType === 'proposal') return { proposal: entry.proposal, by: list.by }
    const known = state.unappliedProposals[bytesToBase64(entry.reference)]
    const author = known?.senderLeafIndex === undefined ? undefined : memberAt(group, known.senderLeafIndex)
    if (known === undefined || author === undefined) throw new MlsError('invalid', 'commit refers to an unknown proposal')
    return { proposal: known.proposal, by: author }
  })

/** What a member's commit of these proposals changes; `invalid` or `unsupported` when they may not stand together. */
export const outcomeOf = (group: Group, proposals: readonly Authored[], committer: Member): Outcome => {
  const removed = removals(group, proposals)
  if (removed.some(({ member }) => member.leafIndex === committer.leafIndex)) throw new MlsError('invalid', 'committer removes itself')
  const policies = proposals.flatMap(({ proposal }) =>
    proposal.proposalType === 'group_context_extensions' ? [expectPolicyOnly(proposal.groupContextExtensions.extensions)] : [],
  )
  if (policies.length > 1) throw new MlsError('invalid', 'policy set twice')
  const allowed = proposals.every(
    ({ proposal: { proposalType: type } }) => type === 'add' || type === 'remove' || type === 'group_context_extensions',
  )
  if (!allowed) throw new MlsError('unsupported', 'proposal type')
  const added = additions(group, proposals, removed)
  const [policy] = policies
  return {
    changes: [
      ...removed.map(({ member }) => ({ kind: 'removed' as const, member })),
      ...added.map(({ member }) => ({ kind: 'added' as const, member })),
    ],
    proposers: [...removed, ...added].map(({ by }) => by),
    added: added.map(({ keyPackage }) => keyPackage),
    ...(policy === undefined ? {} : { policy }),
    needsPath: proposals.length === 0 || removed.length > 0 || policy !== undefined,
  }
}

interface Removal {
  readonly member: Member
  readonly by: Member
}

/** The removals among the proposals: of occupied leaves, each once. */
export const removals = (group: Group, proposals: readonly Authored[]): Removal[] => {
  const removed = proposals.flatMap(({ proposal, by }) => {
    if (proposal.proposalType !== 'remove') return []
    const member = memberAt(group, proposal.remove.removed)
    if (member === undefined) throw new MlsError('invalid', 'removes an empty leaf')
    return [{ member, by }]
  })
  if (new Set(removed.map(({ member }) => member)).size !== removed.length) throw new MlsError('invalid', 'removes a leaf twice')
  return removed
}

const additions = (
  group: Group,
  proposals: readonly Authored[],
  removed: readonly Removal[],
): { member: Member; by: Member; keyPackage: KeyPackage }[] => {
  const occupied = occupiedAfter(group, removed)
  return proposals.flatMap(({ proposal, by }) => {
    if (proposal.proposalType !== 'add') return []
    const { keyPackage } = proposal.add
    const leafIndex = firstFree(occupied)
    occupied.add(leafIndex)
    return [{ member: memberOf(leafIndex, keyPackage.leafNode), by, keyPackage }]
  })
}

const occupiedAfter = (group: Group, removed: readonly Removal[]): Set<number> => {
  const gone = new Set(removed.map(({ member }) => member.leafIndex))
  return new Set(group.members.map(({ leafIndex }) => leafIndex).filter((leafIndex) => !gone.has(leafIndex)))
}

/** New leaves take the leftmost blank (RFC 9420 section 7.7). */
const firstFree = (occupied: ReadonlySet<number>): number => {
  let leafIndex = 0
  while (occupied.has(leafIndex)) leafIndex += 1
  return leafIndex
}

/** Where an external joiner lands once the leaf it replaces is gone. */
export const landingLeaf = (group: Group, removed: readonly Removal[]): number => firstFree(occupiedAfter(group, removed))
