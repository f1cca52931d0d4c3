/** The leaves of a group as people and devices: every certificate was judged when its leaf was accepted, here it is only read. */
import type { AccountId, DeviceId } from '@tacit/contract'
import type { Group, Member } from '@tacit/mls'
import type { Certificates } from '../devices/certificates.ts'
import { readPolicy, roleOf, type Policy } from './policy.ts'

export interface RosterEntry {
  readonly account: AccountId
  readonly device: DeviceId
  readonly leaf: number
  readonly admin: boolean
}

export interface Roster {
  /** In leaf order. */
  readonly entries: readonly RosterEntry[]
  /** Each once, by lowest leaf. */
  readonly accounts: readonly AccountId[]
  readonly policy: Policy
}

/** A policy that nobody can read makes nobody an admin but the longest-standing member. */
const NO_POLICY: Policy = { kind: 'group', admins: [] }

export async function rosterOf(group: Pick<Group, 'members' | 'policy'>, certificates: Certificates): Promise<Roster> {
  const policy = readPolicy(group.policy) ?? NO_POLICY
  const leaves: Omit<RosterEntry, 'admin'>[] = []
  for (const member of group.members) {
    const entry = await rosterEntry(member, certificates)
    if (entry) leaves.push(entry)
  }
  const accounts = [...new Set(leaves.map((leaf) => leaf.account))]
  const admins = new Set(accounts.filter((account) => roleOf({ policy, accounts }, account) === 'admin'))
  return { entries: leaves.map((leaf) => ({ ...leaf, admin: admins.has(leaf.account) })), accounts, policy }
}

export async function rosterEntry(member: Member, certificates: Certificates): Promise<Omit<RosterEntry, 'admin'> | undefined> {
  const certificate = await certificates.read(member.credential)
  return certificate && { account: certificate.account, device: certificate.device, leaf: member.leafIndex }
}
