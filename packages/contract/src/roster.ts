/**
 * The leaves of a group as people and devices, and who may do what among them. The roles stand in the signed group context,
 * so that all members and the server read them alike: CBOR [1, [[account id, 'admin'] ...], 'direct' | 'group']. In a direct
 * conversation both people are named, and nobody else ever belongs to it.
 */
import { decodeCbor, encodeCbor } from './cbor.ts'
import type { Certificates } from './certificates.ts'
import { ConversationKind } from './conversations.ts'
import { AccountId, type DeviceId } from './ids.ts'

export interface Policy {
  readonly kind: ConversationKind
  readonly admins: readonly AccountId[]
}

/** A leaf as MLS shows it: its credential is the encoded device certificate. */
export interface RosterLeaf {
  readonly leafIndex: number
  readonly credential: Uint8Array
}

/** What everybody sees of a group: occupied leaves in leaf order, and the policy extension of its context. */
export interface RosterGroup {
  readonly members: readonly RosterLeaf[]
  readonly policy: Uint8Array
}

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

export const encodePolicy = ({ kind, admins }: Policy): Uint8Array<ArrayBuffer> =>
  encodeCbor([1, admins.map((account) => [account, 'admin']), kind])

/** Undefined for bytes that are no policy. */
export function readPolicy(bytes: Uint8Array): Policy | undefined {
  let value: unknown
  try {
    value = decodeCbor(bytes)
  } catch {
    return undefined
  }
  if (!Array.isArray(value) || value[0] !== 1 || !Array.isArray(value[1])) return undefined
  const kind = ConversationKind.safeParse(value[2]).data
  const admins = value[1].map((pair: unknown) =>
    Array.isArray(pair) && pair[1] === 'admin' ? AccountId.safeParse(pair[0]).data : undefined,
  )
  return kind && { kind, admins: admins.filter((account) => account !== undefined) }
}

/** Every certificate was judged when its leaf was accepted; here it is only read. */
export async function rosterOf(group: RosterGroup, certificates: Certificates): Promise<Roster> {
  const policy = readPolicy(group.policy) ?? NO_POLICY
  const leaves: Omit<RosterEntry, 'admin'>[] = []
  for (const member of group.members) {
    const entry = await rosterEntry(member, certificates)
    if (entry) leaves.push(entry)
  }
  const accounts = [...new Set(leaves.map((leaf) => leaf.account))]
  const admins = adminsOf({ policy, accounts })
  return { entries: leaves.map((leaf) => ({ ...leaf, admin: admins.has(leaf.account) })), accounts, policy }
}

/** A leaf as a person's device; undefined when its credential is no certificate. */
async function rosterEntry(member: RosterLeaf, certificates: Certificates): Promise<Omit<RosterEntry, 'admin'> | undefined> {
  const certificate = await certificates.read(member.credential)
  return certificate && { account: certificate.account, device: certificate.device, leaf: member.leafIndex }
}

/**
 * Who is an admin among the accounts with a leaf, given in leaf order. When the last admin has left, the account that has
 * been there longest (lowest leaf) takes over, for all members alike.
 */
function adminsOf({ policy, accounts }: { readonly policy: Policy; readonly accounts: readonly AccountId[] }): ReadonlySet<AccountId> {
  const present = new Set(accounts)
  const admins = policy.admins.filter((admin) => present.has(admin))
  return new Set(admins.length > 0 ? admins : accounts.slice(0, 1))
}
