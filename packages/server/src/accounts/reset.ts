/**
 * Beginning anew where the vault cannot be opened any more: a new account key, a new vault, one device, one way to sign in. What was
 * before is given up: devices, sessions, passkeys, kit, and what was sealed. Everybody sees the new key.
 */
import { Refusal, type DeviceId, type RouteInput, type Routes } from '@tacit/contract'
import { forgetArchive } from '../archive/archive.ts'
import type { AccountCaller, DeviceCaller } from '../gateway/caller.ts'
import { createVault, forgetVault } from '../vault/vault.ts'
import type { Kits } from '../unlocks/kits.ts'
import { proveMethod, type SignUpDeps } from './sign-up.ts'

export type ResetDeps = Pick<SignUpDeps, 'credentials' | 'devices' | 'events'> & { readonly kits: Kits }

type ResetRequest = RouteInput<Routes['accounts']['reset']>['body']

/** By a session that has no device: who has one has what a reset would give up. */
export async function resetAccount(
  request: ResetRequest,
  caller: AccountCaller | DeviceCaller,
  deps: ResetDeps,
): Promise<{ device: DeviceId }> {
  const { credentials, devices, events, kits } = deps
  const { account, session } = caller
  const { accountKey, enrolment, method, unlock, vault } = request
  if (caller.kind === 'device') throw new Refusal('not_allowed')
  if (unlock.kind !== method.kind) throw new Refusal('malformed', { field: 'unlock.kind' })
  const credential = await proveMethod({ account, method }, credentials)
  const { device, deviceList, keys } = enrolment
  await devices.reset({ account, session, accountKey, device, deviceList, keys }, async (tx) => {
    await credentials.removeAll(tx, account)
    await kits.remove(tx, account)
    await credentials.add(tx, { account, credential, unlock: unlock.id })
    await forgetVault(tx, account)
    await forgetArchive(tx, account)
    await createVault(tx, { account, bytes: vault, unlock })
    await events.note(tx, { account, kind: 'account_reset', method: method.kind, device })
  })
  return { device }
}
