/**
 * From what shall be true to what a commit has to do now. Nothing left to do means that the intent is fulfilled, whoever
 * did it.
 */
import { type AccountId, type DeviceId, encodePolicy, type Roster, routes } from '@tacit/contract'
import type { Group } from '@tacit/mls'
import { MessengerError } from '../api.ts'
import type { KnownPerson } from '../devices/people.ts'
import { authenticateLeaf, isListed } from '../devices/authenticate-leaf.ts'
import type { DeviceCore } from '../device-core.ts'
import type { Intent } from './intent.store.ts'
import type { Rotation } from './rotation.ts'

/** A device to add, with the key package that was claimed for it and judged. */
export interface Invitation {
  readonly account: AccountId
  readonly device: DeviceId
  readonly ref: Uint8Array
  readonly keyPackage: Uint8Array
}

export interface WantedCommit {
  readonly add: readonly Invitation[]
  /** Leaf indexes. */
  readonly remove: readonly number[]
  readonly policy?: Uint8Array
}

/** Adds of one commit; with a key package of 3 KB each it stays far below what the server takes. */
export const MOST_ADDED = 64

export interface Invitations {
  readonly invitations: readonly Invitation[]
  /** Not everybody yet: the rest is for the next commit. */
  readonly more: boolean
}

/**
 * Claims key packages for listed devices of people that are not in the group, for as many as one commit adds. Rejects when
 * somebody has none that is sound.
 */
export async function invite(
  core: DeviceCore,
  { accounts, roster }: { accounts: readonly AccountId[]; roster: Roster },
): Promise<Invitations> {
  const present = new Set(roster.entries.map((entry) => entry.device))
  const invitations: Invitation[] = []
  for (const account of accounts) {
    const person = await newest(core, account)
    const missing = (person?.devices ?? []).map(({ device }) => device).filter((device) => !present.has(device))
    const claimed = missing.length === 0 ? [] : await claimFor(core, { account, devices: missing })
    const isIn = roster.accounts.includes(account)
    if (claimed.length === 0 && !isIn) throw new MessengerError('not_found', 'This person has no device that can be added now.')
    invitations.push(...claimed)
    if (invitations.length >= MOST_ADDED) return { invitations, more: account !== accounts.at(-1) }
  }
  return { invitations, more: false }
}

/** The server shows a list to those who share a conversation, and to those who name the handle. */
async function newest(core: DeviceCore, account: AccountId): Promise<KnownPerson | undefined> {
  const refreshed = await core.people.refresh(account)
  if (refreshed) return refreshed
  const known = await core.people.known(account)
  return known && known.pin.handle !== '' ? core.people.lookUp(known.pin.handle) : known
}

/** Claims a key package for each of an account's devices; those without a sound one are left out. */
export async function claimFor(core: DeviceCore, claim: { account: AccountId; devices: DeviceId[] }): Promise<readonly Invitation[]> {
  const { keyPackages } = await core.session.call(routes.keys.claim, { body: claim })
  const invitations: Invitation[] = []
  for (const { device, keyPackage } of keyPackages) {
    const invitation = await judgeKeyPackage(core, keyPackage)
    // A package that is not sound is passed over: its device can still come in by itself.
    if (invitation?.device === device && invitation.account === claim.account && claim.devices.includes(device))
      invitations.push(invitation)
  }
  return invitations
}

async function judgeKeyPackage(core: DeviceCore, keyPackage: Uint8Array): Promise<Invitation | undefined> {
  const now = BigInt(Math.floor(core.clock.now() / 1000))
  const leaf = await core.engine.inspectKeyPackage(keyPackage, now).catch(() => undefined)
  const certificate = leaf && (await core.certificates.read(leaf.credential))
  if (!leaf || !certificate || !(await authenticateLeaf(core, { ...leaf, path: 'invited' }))) return undefined
  return { account: certificate.account, device: certificate.device, ref: leaf.ref, keyPackage }
}

/** What a commit has to do for this intent in this group; undefined when it is true already. */
export function wantedFor(
  intent: Intent,
  { roster, rotation, invitations }: { roster: Roster; rotation: Rotation; invitations: readonly Invitation[] },
): WantedCommit | undefined {
  switch (intent.kind) {
    case 'add': {
      const present = new Set(roster.entries.map((entry) => entry.device))
      const add = invitations.filter((invitation) => !present.has(invitation.device))
      return add.length === 0 ? undefined : { add, remove: [] }
    }
    case 'remove': {
      const remove = roster.entries.filter((entry) => entry.account === intent.account).map((entry) => entry.leaf)
      return remove.length === 0 ? undefined : { add: [], remove }
    }
    case 'role': {
      const admins = roster.accounts.filter((account) => roster.entries.some((entry) => entry.account === account && entry.admin))
      if (admins.includes(intent.account) === (intent.role === 'admin') || !roster.accounts.includes(intent.account)) return undefined
      const after = intent.role === 'admin' ? [...admins, intent.account] : admins.filter((account) => account !== intent.account)
      if (after.length === 0) throw new MessengerError('not_allowed', 'A group needs an admin.')
      return { add: [], remove: [], policy: encodePolicy({ kind: roster.policy.kind, admins: after }) }
    }
    case 'rotate':
      return rotation.updated === intent.before ? { add: [], remove: [] } : undefined
    case 'create':
    case 'leave':
      return undefined
  }
}

/**
 * Own leaves that this account has withdrawn; nobody else may tidy them as surely. A leaf that the list known here does not name may be
 * newer than the list: only the newest one says that it is gone. When the server gives none now, nothing is done now.
 */
export async function withdrawnLeaves(core: DeviceCore, group: Group): Promise<readonly number[]> {
  const suspects = await unlisted(core, group, await core.people.known(core.account))
  if (suspects.length === 0) return []
  return unlisted(core, group, await core.people.refresh(core.account).catch(() => undefined))
}

async function unlisted(core: DeviceCore, group: Group, self: KnownPerson | undefined): Promise<readonly number[]> {
  const leaves: number[] = []
  for (const member of group.members) {
    const certificate = await core.certificates.read(member.credential)
    const isOwn = certificate?.account === core.account && certificate.device !== core.device
    if (isOwn && self && self.pin.listVersion > 0 && !isListed(self, certificate)) leaves.push(member.leafIndex)
  }
  return leaves
}
