/**
 * The rules of membership, judged for every commit before it takes effect, by the server and by every member alike:
 *
 * - anyone may add people; in a direct conversation only devices of its two people belong
 * - one's own devices may be removed by oneself, by commit or by proposal (that is: leaving)
 * - somebody else's device is removed by an admin, or by anyone when its owner has withdrawn it and keeps another leaf
 * - anybody may remove a device that the same commit adds again: so is brought back who could not follow
 * - only an admin changes roles, never the kind
 * - a leaf may be renewed, never become another device
 * - a device joins by external commit only if its account has a leaf already; it may replace its own old leaf, nothing else
 */
import { equalBytes } from './bytes.ts'
import type { Certificates } from './certificates.ts'
import type { DeviceCertificate } from './device-list.ts'
import type { AccountId } from './ids.ts'
import { limits } from './limits.ts'
import { readPolicy, rosterOf, type Roster, type RosterGroup, type RosterLeaf } from './roster.ts'

export type LeafChange =
  | { readonly kind: 'added' | 'removed'; readonly member: RosterLeaf }
  | { readonly kind: 'updated'; readonly before: RosterLeaf; readonly after: RosterLeaf }

/** A commit or proposal with the group as it was before. */
export interface JudgedChange {
  readonly group: RosterGroup
  readonly by: RosterLeaf
  /** By a device that joins with it. */
  readonly external: boolean
  readonly changes: readonly LeafChange[]
  /** For each change, who proposed it. */
  readonly proposers: readonly RosterLeaf[]
  /** The policy that would be installed, when it changes. */
  readonly policy?: Uint8Array
}

export interface MembershipCourt {
  readonly certificates: Certificates
  /** Whether the device's owner has taken it off the device list. */
  isWithdrawn(leaf: DeviceCertificate): Promise<boolean>
}

interface Change {
  readonly kind: LeafChange['kind']
  /** Of an update: the leaf as it was. */
  readonly leaf: DeviceCertificate
  readonly becomes?: DeviceCertificate
  readonly proposer: DeviceCertificate
}

/** Whether the rules allow it. Says nothing on whether a leaf's certificate is in force: every leaf is authenticated on its own. */
export async function isFairChange(court: MembershipCourt, judged: JudgedChange): Promise<boolean> {
  const { group, by, external, policy } = judged
  const roster = await rosterOf(group, court.certificates)
  const committer = await court.certificates.read(by.credential)
  const changes = await readChanges(court, judged)
  if (!committer || !changes) return false
  if (policy && !mayChangePolicy({ roster, policy, committer, external })) return false
  if (external) return isFairJoin({ roster, committer, changes })
  for (const change of changes) if (!(await isFair(court, { roster, change, changes }))) return false
  return hasNoDoubles(roster, changes)
}

async function readChanges(
  { certificates }: MembershipCourt,
  given: Pick<JudgedChange, 'changes' | 'proposers'>,
): Promise<readonly Change[] | undefined> {
  const read: Change[] = []
  for (const [at, change] of given.changes.entries()) {
    const before = change.kind === 'updated' ? change.before : change.member
    const leaf = await certificates.read(before.credential)
    const becomes = change.kind === 'updated' ? await certificates.read(change.after.credential) : undefined
    const by = given.proposers[at]
    const proposer = by && (await certificates.read(by.credential))
    if (!leaf || !proposer || (change.kind === 'updated' && !becomes)) return undefined
    read.push({ kind: change.kind, leaf, proposer, ...(becomes && { becomes }) })
  }
  return read
}

function mayChangePolicy(request: { roster: Roster; policy: Uint8Array; committer: DeviceCertificate; external: boolean }): boolean {
  const { roster, committer } = request
  const after = readPolicy(request.policy)
  if (!after || request.external || roster.policy.kind === 'direct' || after.kind !== roster.policy.kind) return false
  return isAdmin(roster, committer.account) && after.admins.length > 0
}

/** RFC 9420 section 12.4.3.2: an external commit adds its sender and removes at most one leaf. */
function isFairJoin({ roster, committer, changes }: { roster: Roster; committer: DeviceCertificate; changes: readonly Change[] }): boolean {
  if (!roster.accounts.includes(committer.account)) return false
  const fair = changes.every(
    ({ kind, leaf }) => kind !== 'updated' && leaf.account === committer.account && leaf.device === committer.device,
  )
  return fair && hasNoDoubles(roster, changes)
}

async function isFair(
  court: MembershipCourt,
  { roster, change, changes }: { roster: Roster; change: Change; changes: readonly Change[] },
): Promise<boolean> {
  const { kind, leaf, becomes, proposer } = change
  if (kind === 'updated') return becomes?.account === leaf.account && becomes.device === leaf.device
  if (kind === 'added') return roster.policy.kind === 'group' || roster.policy.admins.includes(leaf.account)
  if (proposer.account === leaf.account) return true
  if (roster.policy.kind === 'group' && isAdmin(roster, proposer.account)) return true
  if (isAddedAgain(leaf, changes)) return true
  return keepsALeaf(roster, leaf, changes) && (await court.isWithdrawn(leaf))
}

/** Brought back by somebody after it could not follow: the same device comes in with the same key. */
const isAddedAgain = ({ account, device, signatureKey }: DeviceCertificate, changes: readonly Change[]): boolean =>
  changes.some(
    ({ kind, leaf }) =>
      kind === 'added' && leaf.account === account && leaf.device === device && equalBytes(leaf.signatureKey, signatureKey),
  )

const isAdmin = (roster: Roster, account: AccountId): boolean => roster.entries.some((entry) => entry.account === account && entry.admin)

function keepsALeaf(roster: Roster, leaf: DeviceCertificate, changes: readonly Change[]): boolean {
  const gone = new Set(changes.flatMap((change) => (change.kind === 'removed' ? [change.leaf.device] : [])))
  return roster.entries.some((entry) => entry.account === leaf.account && !gone.has(entry.device))
}

/** No device twice, no account with more devices than it may have. */
function hasNoDoubles(roster: Roster, changes: readonly Change[]): boolean {
  const devices = new Map<string, AccountId>(roster.entries.map((entry) => [entry.device, entry.account]))
  for (const { kind, leaf } of changes) if (kind === 'removed') devices.delete(leaf.device)
  for (const { kind, leaf } of changes) {
    if (kind !== 'added') continue
    if (devices.has(leaf.device)) return false
    devices.set(leaf.device, leaf.account)
  }
  const counts = new Map<AccountId, number>()
  for (const account of devices.values()) counts.set(account, (counts.get(account) ?? 0) + 1)
  return [...counts.values()].every((count) => count <= limits.devicesPerAccount)
}
