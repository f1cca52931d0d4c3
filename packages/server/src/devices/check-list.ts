/**
 * Whether a device list may become an account's next one. The server has no key to make a list; it only refuses those
 * that members would refuse as well, so that nobody can spoil an account by storing rubbish.
 */
import {
  decodeCbor,
  equalBytes,
  limits,
  readDeviceList,
  Refusal,
  type AccountId,
  type DeviceCertificate,
  type DeviceId,
} from '@tacit/contract'

export interface CheckedList {
  readonly version: number
  readonly account: AccountId
  readonly accountKey: Uint8Array
  readonly previous: Uint8Array
  readonly hash: Uint8Array
  readonly bytes: Uint8Array
  readonly devices: readonly DeviceCertificate[]
}

/** What is known of the list that the new one continues. */
export interface CurrentList {
  readonly version: number
  readonly accountKey: Uint8Array
  readonly hash: Uint8Array
}

/** The list, if its signatures hold, it belongs to the account and no certificate in it has ended. Refuses `invalid_device_list` and `too_many`. */
export async function readList({ bytes, account, now }: { bytes: Uint8Array; account: AccountId; now: number }): Promise<CheckedList> {
  const list = await readDeviceList(bytes)
  if (!list && namesTooMany(bytes)) throw new Refusal('too_many')
  if (!list || list.account !== account) throw new Refusal('invalid_device_list')
  if (list.devices.some(({ notAfter }) => notAfter * 1000 <= now)) throw new Refusal('invalid_device_list')
  return { ...list, bytes }
}

/** Refuses a first list that is not version 1 by this key with exactly this device. */
export function assertFirst(list: CheckedList, first: { accountKey: Uint8Array; device: DeviceId }): void {
  if (list.version !== 1) throw new Refusal('invalid_device_list')
  assertOnly(list, first)
}

/** Refuses a list that is not by this key, or names anything but this device. */
export function assertOnly(list: CheckedList, { accountKey, device }: { accountKey: Uint8Array; device: DeviceId }): void {
  const only = list.devices.length === 1 && list.devices[0]?.device === device
  if (!only || !equalBytes(list.accountKey, accountKey)) throw new Refusal('invalid_device_list')
}

/** Refuses `invalid_device_list` for another key or chain, `version_conflict` when somebody was faster. */
export function assertContinues(list: CheckedList, current: CurrentList): void {
  if (!equalBytes(list.accountKey, current.accountKey)) throw new Refusal('invalid_device_list')
  assertFollows(list, current)
}

/** As `assertContinues`, whatever key signed. */
export function assertFollows(list: CheckedList, current: Pick<CurrentList, 'version' | 'hash'>): void {
  if (list.version !== current.version + 1) throw new Refusal('version_conflict', { version: current.version })
  if (!equalBytes(list.previous, current.hash)) throw new Refusal('invalid_device_list')
}

/** A device that stays must keep its signature key; only `added` may be new, or whoever is on the list (`any`). */
export function assertSameDevices(
  list: CheckedList,
  { known, added }: { known: readonly { id: DeviceId; signature_key: Uint8Array }[]; added: DeviceId | 'any' | undefined },
): void {
  for (const certificate of list.devices) {
    const before = known.find(({ id }) => id === certificate.device)
    if (!before && added !== 'any' && certificate.device !== added) throw new Refusal('invalid_device_list')
    if (before && !equalBytes(before.signature_key, certificate.signatureKey)) throw new Refusal('invalid_device_list')
  }
  if (added && added !== 'any' && !list.devices.some(({ device }) => device === added)) throw new Refusal('invalid_device_list')
}

/** A list that is too long is not read at all; its owner should hear why. */
function namesTooMany(bytes: Uint8Array): boolean {
  try {
    const fields = decodeCbor(bytes)
    const certificates = Array.isArray(fields) ? fields[4] : undefined
    return Array.isArray(certificates) && certificates.length > limits.devicesPerAccount
  } catch {
    return false
  }
}
