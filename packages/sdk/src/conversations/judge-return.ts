/**
 * The rules for coming back: this device followed a conversation once, could not follow a commit, and is offered the group
 * anew by a GroupInfo or a Welcome. The commits between are unseen, and a commit can be made unreadable on purpose, so what
 * `judgeCommit` would refuse must not come in this way:
 *
 * - whoever signed the offer is a listed device of an account that was a member: neither the server, a stranger nor a device
 *   that its owner has withdrawn can offer a group
 * - unless that was an admin, nobody's role is another one, and no device that was a member is missing: only the signer's own
 *   ones may, and those that their owner has withdrawn while another one stays
 * - every device that was not there before is on its owner's newest list: a withdrawn one does not slip in while we look away
 * - a direct conversation is still between the same two people
 *
 * An honest offer that fails is followed by a better one: an admin's next commit.
 */
import { type AccountId, type ConversationId, type DeviceId, type Roster, type RosterEntry, rosterOf } from '@tacit/contract'
import type { Group, Member } from '@tacit/mls'
import type { DeviceCore } from '../device-core.ts'
import { authenticateLeaf, type LeafAuthority } from '../devices/authenticate-leaf.ts'
import type { People } from '../devices/people.ts'
import type { Conversation } from './conversation.store.ts'
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
  if (!signer || !(await authenticateLeaf(core, { ...signer, path: 'invited' }))) return false
  const voucher = (await core.certificates.read(signer.credential))?.account
  const after = await rosterOf(group, core.certificates)
  if (after.policy.kind !== state?.kind) return false
  if (state.kind === 'direct' && !isBetween(after, [core.account, state.peer])) return false
  const withdrawn = await withdrawnAmong(core, missingFrom(after.entries, before))
  if (!isFairReturn({ before, after, voucher, withdrawn })) return false
  return newcomersAreListed(core, { before, members: group.members })
}

/** Whether nobody else has a leaf or a role in a direct conversation; its two people are its admins. */
export const isBetween = ({ accounts, policy }: Roster, two: readonly (AccountId | undefined)[]): boolean =>
  [...accounts, ...policy.admins].every((account) => two.includes(account))

const missingFrom = (after: readonly RosterEntry[], before: readonly RosterEntry[]): readonly RosterEntry[] => {
  const there = new Set(after.map(({ device }) => device))
  return before.filter(({ device }) => !there.has(device))
}

/** Those that are not on their owner's newest list. Rejects with `Unreachable` when the server gives no list. */
export async function withdrawnAmong(
  { people }: { readonly people: Pick<People, 'refresh'> },
  missing: readonly RosterEntry[],
): Promise<ReadonlySet<DeviceId>> {
  const withdrawn = new Set<DeviceId>()
  for (const { account, device } of missing) {
    const newest = await people.refresh(account)
    if (newest && !newest.devices.some((listed) => listed.device === device)) withdrawn.add(device)
  }
  return withdrawn
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

/** The rule itself. `before`: the members as this device saw them last; `withdrawn`: which of the missing their owners took off their lists. */
export function isFairReturn({
  before,
  after,
  voucher,
  withdrawn,
}: {
  before: readonly RosterEntry[]
  after: Roster
  voucher: AccountId | undefined
  withdrawn: ReadonlySet<DeviceId>
}): boolean {
  const known = rolesOf(before)
  const vouchedByAdmin = voucher && known.get(voucher)
  if (vouchedByAdmin === undefined || vouchedByAdmin) return vouchedByAdmin === true
  const now = rolesOf(after.entries)
  const keeps = [...known].every(([account, admin]) => now.get(account) === admin)
  const promotesNobody = [...now].every(([account, admin]) => !admin || known.has(account))
  const missing = missingFrom(after.entries, before)
  return keeps && promotesNobody && missing.every(({ account, device }) => account === voucher || withdrawn.has(device))
}

/** Whether each account is an admin. */
const rolesOf = (entries: readonly RosterEntry[]): ReadonlyMap<AccountId, boolean> =>
  new Map(entries.map(({ account, admin }) => [account, admin]))
