/**
 * The rules of membership, judged by every member for every commit before it takes effect (the server cannot):
 *
 * - anyone may add people; in a direct conversation only devices of its two people belong
 * - one's own devices may be removed by oneself, by commit or by proposal (that is: leaving)
 * - somebody else's device is removed by an admin, or by anyone when its owner has withdrawn it and keeps another leaf
 * - only an admin changes roles, never the kind
 * - a leaf may be renewed, never become another device
 * - a device joins by external commit only if its account has a leaf already; it may replace its own old leaf, nothing else
 */
import { limits, type AccountId, type ConversationKind, type DeviceCertificate } from '@tacit/contract'
import type { JudgeCommit, Member, MembershipChange } from '@tacit/mls'
import type { Certificates } from '../devices/certificates.ts'
import { isListed } from '../devices/authenticate-leaf.ts'
import type { People } from '../devices/people.ts'
import { readPolicy } from './policy.ts'
import { rosterOf, type Roster } from './roster.ts'

export interface Bench {
  readonly certificates: Certificates
  readonly people: Pick<People, 'known' | 'refresh'>
}

interface Change {
  readonly kind: MembershipChange['kind']
  /** Of an update: the leaf as it was. */
  readonly leaf: DeviceCertificate
  readonly becomes?: DeviceCertificate
  readonly proposer: DeviceCertificate
}

/** The judge that the engine asks. */
export const judgeCommit = (bench: Bench): JudgeCommit => {
  return async ({ group, by, external, changes, proposers, policy }) => {
    const roster = await rosterOf(group, bench.certificates)
    const committer = await bench.certificates.read(by.credential)
    const read = await readChanges(bench, { changes, proposers })
    if (!committer || !read) return false
    if (policy && !mayChangePolicy({ roster, policy, committer, external })) return false
    if (external) return isFairJoin({ roster, committer, changes: read })
    for (const change of read) if (!(await isFair(bench, { roster, change, changes: read }))) return false
    return hasNoDoubles(roster, read)
  }
}

async function readChanges(
  { certificates }: Bench,
  given: { changes: readonly MembershipChange[]; proposers: readonly Member[] },
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
  bench: Bench,
  { roster, change, changes }: { roster: Roster; change: Change; changes: readonly Change[] },
): Promise<boolean> {
  const { kind, leaf, becomes, proposer } = change
  if (kind === 'updated') return becomes?.account === leaf.account && becomes.device === leaf.device
  if (kind === 'added') return roster.policy.kind === 'group' || roster.policy.admins.includes(leaf.account)
  if (proposer.account === leaf.account) return true
  if (roster.policy.kind === 'group' && isAdmin(roster, proposer.account)) return true
  return keepsALeaf(roster, leaf, changes) && (await isWithdrawn(bench, leaf))
}

const isAdmin = (roster: Roster, account: AccountId): boolean => roster.entries.some((entry) => entry.account === account && entry.admin)

function keepsALeaf(roster: Roster, leaf: DeviceCertificate, changes: readonly Change[]): boolean {
  const gone = new Set(changes.flatMap((change) => (change.kind === 'removed' ? [change.leaf.device] : [])))
  return roster.entries.some((entry) => entry.account === leaf.account && !gone.has(entry.device))
}

async function isWithdrawn({ people }: Bench, leaf: DeviceCertificate): Promise<boolean> {
  const known = await people.known(leaf.account)
  if (known && !isListed(known, leaf)) return true
  const newest = await people.refresh(leaf.account)
  return newest !== undefined && !isListed(newest, leaf)
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

/** Kind as the group's own context says it; the server's word is only a hint. */
export const kindOf = (policy: Uint8Array): ConversationKind => readPolicy(policy)?.kind ?? 'group'
