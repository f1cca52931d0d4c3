/**
 * The rules for coming back: this device followed a conversation once, could not follow a commit, and is offered the group
 * anew by a GroupInfo or a Welcome. The commits between are unseen, and a commit can be made unreadable on purpose, so what
 * `judgeCommit` would refuse must not come in this way:
 *
 * - whoever signed the offer belongs to an account that was a member: neither the server nor a stranger can offer a group
 * - unless that was an admin, nobody who was a member is missing, and nobody's role is another one
 * - every device that was not there before is on its owner's newest list: a withdrawn one does not slip in while we look away
 *
 * An honest offer that fails is followed by a better one: an admin's next commit.
 */
import type { AccountId, ConversationId } from '@tacit/contract'
import type { Group, Member } from '@tacit/mls'
import type { DeviceCore } from '../device-core.ts'
import { authenticateLeaf, type LeafAuthority } from '../devices/authenticate-leaf.ts'
import type { Conversation } from './conversation.store.ts'
import { rosterOf, type Roster, type RosterEntry } from './roster.ts'
import { loadRoster } from './roster.store.ts'

interface Offer {
  readonly conversation: ConversationId
  /** What this device knows of the conversation; undefined when it is new. */
  readonly state: Conversation | undefined
  readonly group: Pick<Group, 'members' | 'policy'>
  readonly signer: Member | undefined
}

/**
 * Whether the group that is offered may take the place of the one that was lost. A device that is no member by its own last
 * roster, because it is new or because a commit removed it, may be invited by anybody; the server's word that it was removed
 * changes nothing.
 */
export async function mayTake(core: DeviceCore, { conversation, state, group, signer }: Offer): Promise<boolean> {
  const before = await loadRoster(core.store, conversation)
  if (!before.some(({ device }) => device === core.device)) return true
  const after = await rosterOf(group, core.certificates)
  const voucher = signer && (await core.certificates.read(signer.credential))?.account
  if (after.policy.kind !== state?.kind || !isFairReturn({ before, after, voucher })) return false
  return newcomersAreListed(core, { before, members: group.members })
}

/** Whether every leaf that this device has not seen in the group yet could be invited now. Rejects with `Unreachable` when the server gives no list. */
export async function newcomersAreListed(
  authority: LeafAuthority,
  { before, members }: { readonly before: readonly RosterEntry[]; readonly members: readonly Member[] },
): Promise<boolean> {
  const seen = new Set(before.map(({ device }) => device))
  for (const member of members) {
    const device = (await authority.certificates.read(member.credential))?.device
    if (device && seen.has(device)) continue
    if (!(await authenticateLeaf(authority, { ...member, path: 'invited' }))) return false
  }
  return true
}

/** The rule itself. `before`: the members as this device saw them last. */
export function isFairReturn({
  before,
  after,
  voucher,
}: {
  before: readonly RosterEntry[]
  after: Roster
  voucher: AccountId | undefined
}): boolean {
  const known = rolesOf(before)
  const vouchedByAdmin = voucher && known.get(voucher)
  if (vouchedByAdmin === undefined || vouchedByAdmin) return vouchedByAdmin === true
  const now = rolesOf(after.entries)
  const keeps = [...known].every(([account, admin]) => now.get(account) === admin)
  return keeps && [...now].every(([account, admin]) => !admin || known.has(account))
}

/** Whether each account is an admin. */
const rolesOf = (entries: readonly RosterEntry[]): ReadonlyMap<AccountId, boolean> =>
  new Map(entries.map(({ account, admin }) => [account, admin]))
