/**
 * Whether the membership that a commit declares fits the roster, as pure functions. The server cannot see inside the
 * commit; members check every change of membership cryptographically, the server keeps the roster that they declare.
 */
import { Refusal, type AccountId, type BodyOf, type DeviceId } from '@tacit/contract'
import type { Sender } from '@tacit/mls/public'

export type CommitBody = BodyOf<'conversations.commit'>

/** By a member, or by a device that joins with it (RFC 9420 section 12.4.3.2). */
export type CommitKind = 'by_member' | 'by_joiner'

/** Who may frame a commit: members and joiners; anything else is not supported. */
export function kindOfCommit(sender: Sender | undefined): CommitKind {
  if (sender?.kind === 'member') return 'by_member'
  if (sender?.kind === 'new_member_commit') return 'by_joiner'
  throw new Refusal('unsupported')
}

/** What must hold whatever the roster is: nobody twice, a welcome for each added device and no other, nobody removes itself. */
export function checkDeclaration({ body, kind, sender }: { body: CommitBody; kind: CommitKind; sender: DeviceId }): void {
  const added = body.added.map(({ device }) => device)
  const welcomed = body.welcomes.map(({ device }) => device)
  if (hasRepeats(added) || hasRepeats(welcomed) || hasRepeats(body.removed)) throw new Refusal('members_mismatch')
  if (added.length !== welcomed.length || !sameDevices(added, welcomed)) throw new Refusal('members_mismatch')
  if (kind === 'by_joiner') {
    if (added.length > 0 || body.removed.some((device) => device !== sender)) throw new Refusal('members_mismatch')
  } else if (body.removed.includes(sender) || added.includes(sender)) throw new Refusal('members_mismatch')
}

export interface Roster {
  readonly members: number
  readonly maxMembers: number
  /** The two accounts of a direct conversation, joined; null for groups. */
  readonly directPair: string | null
  isMember(device: DeviceId): boolean
}

/** What must hold for the roster as it is: removed are members, added are not, a direct conversation stays between its two people. */
export function checkRoster({ body, kind, sender }: { body: CommitBody; kind: CommitKind; sender: DeviceId }, roster: Roster): void {
  const gone = new Set(body.removed)
  if (body.removed.some((device) => !roster.isMember(device))) throw new Refusal('members_mismatch')
  if (body.added.some(({ device }) => roster.isMember(device) && !gone.has(device))) throw new Refusal('members_mismatch')
  if (kind === 'by_joiner' && roster.isMember(sender) && !gone.has(sender)) throw new Refusal('members_mismatch')
  const pair = roster.directPair
  if (pair !== null && body.added.some(({ account }) => !isOfPair(pair, account))) throw new Refusal('members_mismatch')
  const joining = body.added.length + (kind === 'by_joiner' ? 1 : 0)
  if (joining > 0 && roster.members - gone.size + joining > roster.maxMembers) throw new Refusal('too_many')
}

/** The key of a direct conversation: the same whoever of the two opens it. */
export const pairOf = (account: AccountId, other: AccountId): string => [account, other].toSorted().join(' ')

const isOfPair = (pair: string, account: AccountId): boolean => pair.split(' ').includes(account)

const hasRepeats = (devices: readonly DeviceId[]): boolean => new Set(devices).size !== devices.length

function sameDevices(left: readonly DeviceId[], right: readonly DeviceId[]): boolean {
  const known = new Set(left)
  return right.every((device) => known.has(device))
}
