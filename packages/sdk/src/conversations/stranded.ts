/**
 * Bringing back devices that could not process a commit and do not come by themselves (RFC 9750 section 5.3): one commit
 * removes their old leaf and adds them again with a fresh key package. Nobody gains or loses anything by it, so any member may.
 */
import { rosterOf, type AccountId, type ConversationId, type DeviceId } from '@tacit/contract'
import type { DeviceCore } from '../device-core.ts'
import type { Hold } from './held.ts'
import { strandedDevices } from './nack.store.ts'
import { claimFor, type Invitation, type WantedCommit } from './wanted-commit.ts'

/** Key packages of the devices that wait to be brought back. */
export async function inviteStranded(core: DeviceCore, conversation: ConversationId): Promise<readonly Invitation[]> {
  const byAccount = new Map<AccountId, DeviceId[]>()
  for (const { account, device } of await strandedDevices(core.store, conversation))
    if (device !== core.device) byAccount.set(account, [...(byAccount.get(account) ?? []), device])
  const invitations: Invitation[] = []
  for (const [account, devices] of byAccount) invitations.push(...(await claimFor(core, { account, devices })))
  return invitations
}

/** What brings back those of them that are still stranded, as far as they still have a leaf. */
export async function broughtBack(
  core: DeviceCore,
  { conversation, group }: Hold,
  repairs: readonly Invitation[],
): Promise<Pick<WantedCommit, 'add' | 'remove'>> {
  if (!group || repairs.length === 0) return { add: [], remove: [] }
  const { entries } = await rosterOf(group, core.certificates)
  const stranded = new Set((await strandedDevices(core.store, conversation)).map(({ device }) => device))
  const wanted = repairs.flatMap((invitation) => {
    const old = entries.find(({ device, account }) => device === invitation.device && account === invitation.account)
    return old && stranded.has(invitation.device) ? [{ invitation, leaf: old.leaf }] : []
  })
  return { add: wanted.map(({ invitation }) => invitation), remove: wanted.map(({ leaf }) => leaf) }
}
