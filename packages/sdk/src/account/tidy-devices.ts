/**
 * What any own device does for the account from time to time: takes off the list who was not used for long, and sees to it that
 * nobody who is off the list has the vault key, should whoever removed them not have come to it.
 */
import { routes, type DeviceCertificate, type DeviceId } from '@tacit/contract'
import type { Reader } from '../local-store/driver.ts'
import type { KnownPerson } from '../devices/people.ts'
import type { Clock } from '../surroundings.ts'
import { activeDevices } from '../vault/places.ts'
import { idleDaysChosen } from '../vault/preferences.ts'
import { fetchVault, type VaultAccess } from '../vault/own-vault.ts'
import { rotateVaultKey } from '../vault/rotate.ts'
import { issuedAt } from './new-device.ts'
import { takeOffList } from './take-off-list.ts'

const DAY = 86_400_000

export interface Tidying extends VaultAccess {
  readonly clock: Pick<Clock, 'now'>
  readonly store: Reader
  /** The newest own list, asked of the server now. */
  readonly refreshList: () => Promise<KnownPerson | undefined>
}

/** The devices that were taken off. Rejects as the vault and the server do. */
export async function tidyDevices(access: Tidying): Promise<readonly DeviceId[]> {
  const { session, self, clock, store, refreshList } = access
  // In this order: whoever is in the vault was on the list before, so who is not on the newer one has left it.
  const vault = await fetchVault(access)
  vault.accountKeySeed.fill(0)
  const { sessions } = await session.call(routes.sessions.list, {})
  const listed = await refreshList()
  if (!listed) return []
  const lastUsed = new Map<DeviceId, number>()
  for (const { device, lastUsedAt } of sessions)
    if (device) lastUsed.set(device, Math.max(lastUsed.get(device) ?? 0, Date.parse(lastUsedAt)))
  // What the devices say themselves counts; the server is asked for those that have not said anything yet.
  for (const [device, at] of await activeDevices(store)) lastUsed.set(device, at)
  const days = await idleDaysChosen(store)
  const idle = idleDevices({ devices: listed.devices, self: self.device, lastUsed, now: clock.now(), days })
  if (idle.length > 0) await takeOffList(access, idle)
  const members = new Set(listed.devices.map(({ device }) => device).filter((device) => !idle.includes(device)))
  const gone = [...vault.devices.keys()].filter((device) => !members.has(device))
  if (gone.length > 0) await rotateVaultKey(access, gone)
  return idle
}

/** Those that nothing speaks for: neither a use nor a certificate of so many days. */
export function idleDevices(given: {
  readonly devices: readonly DeviceCertificate[]
  readonly self: DeviceId
  readonly lastUsed: ReadonlyMap<DeviceId, number>
  readonly now: number
  readonly days: number
}): DeviceId[] {
  const { devices, self, lastUsed, now, days } = given
  const last = (one: DeviceCertificate) => Math.max(issuedAt(one), lastUsed.get(one.device) ?? 0)
  return devices.filter((one) => one.device !== self && now - last(one) > days * DAY).map(({ device }) => device)
}
