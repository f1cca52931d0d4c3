/** A device is made: its keys, its certificate by the account key, the list that names it, and its first key packages. */
import { DeviceId, readDeviceList, signDeviceCertificate, signDeviceList, type AccountId, type DeviceCertificate } from '@tacit/contract'
import type { LeafIdentity, MlsEngine } from '@tacit/mls'
import { MessengerError } from '../api.ts'
import { makeKeyPackages, ONE_TIME, type MadeKeyPackages } from '../keys/key-packages.ts'
import { mintId } from '../sealing.ts'
import type { Clock, Random } from '../surroundings.ts'
import type { SigningKey } from '../signing.ts'

/** A certificate is valid for a year, in seconds. */
const VALIDITY = 365 * 86_400

interface Owner {
  readonly account: AccountId
  readonly key: SigningKey
}

export interface NewDevice {
  readonly device: DeviceId
  readonly identity: LeafIdentity
  readonly certificate: Uint8Array<ArrayBuffer>
  readonly keys: MadeKeyPackages
}

export interface Workshop {
  readonly engine: MlsEngine
  readonly clock: Clock
  readonly random: Random
}

export async function makeDevice({ engine, clock, random }: Workshop, owner: Owner): Promise<NewDevice> {
  const device = mintId(random, DeviceId)
  const signature = await engine.generateSignaturePair()
  const certificate = await certify(owner, { device, signatureKey: signature.publicKey, now: clock.now() })
  const identity = { credential: certificate, signature }
  const keys = await makeKeyPackages({ engine, identity, now: clock.now(), oneTime: ONE_TIME, lastResort: true })
  return { device, identity, certificate, keys }
}

/** A year's certificate for a device, from `now` (ms). */
function certify(
  { account, key }: Owner,
  { device, signatureKey, now }: { readonly device: DeviceId; readonly signatureKey: Uint8Array; readonly now: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const fields = { account, accountKey: key.publicKey, device, signatureKey, notAfter: Math.floor(now / 1000) + VALIDITY }
  return signDeviceCertificate(fields, key.sign)
}

/** When a certificate was made, in milliseconds. */
export const issuedAt = ({ notAfter }: Pick<DeviceCertificate, 'notAfter'>): number => (notAfter - VALIDITY) * 1000

/** Whether a device may stay on a list that is made at `now` (ms): the server and the others refuse one whose certificate has ended. */
export const isInTime = ({ notAfter }: Pick<DeviceCertificate, 'notAfter'>, now: number): boolean => notAfter * 1000 > now

/** A fresh certificate for a device as it is, keys and all, and the list that names it. */
export async function renewedList(
  owner: Owner,
  { current, device, signatureKey, now }: { current: Uint8Array; device: DeviceId; signatureKey: Uint8Array; now: number },
): Promise<{ readonly certificate: Uint8Array; readonly deviceList: Uint8Array<ArrayBuffer> }> {
  const certificate = await certify(owner, { device, signatureKey, now })
  const keep = (one: DeviceCertificate) => one.device !== device && isInTime(one, now)
  return { certificate, deviceList: await nextDeviceList(owner, { current, add: certificate, keep }) }
}

/** The first list of an account. */
export const firstDeviceList = (owner: Owner, certificate: Uint8Array) =>
  signDeviceList(
    { version: 1, account: owner.account, accountKey: owner.key.publicKey, previous: new Uint8Array(), certificates: [certificate] },
    owner.key.sign,
  )

/** The list after `current`, with one device more or less. Rejects with `identity_mismatch` when `current` is not the owner's. */
export async function nextDeviceList(
  owner: Owner,
  change: { readonly current: Uint8Array; readonly add?: Uint8Array; readonly keep: (device: DeviceCertificate) => boolean },
): Promise<Uint8Array<ArrayBuffer>> {
  const current = await readDeviceList(change.current)
  const { account, key } = owner
  if (!current || current.account !== account || !current.accountKey.every((byte, at) => byte === key.publicKey[at]))
    throw new MessengerError('identity_mismatch', 'The device list on the server is not signed by the account key.')
  const kept = current.certificates.filter((_, at) => {
    const device = current.devices[at]
    return device !== undefined && change.keep(device)
  })
  const certificates = change.add ? [...kept, change.add] : kept
  return signDeviceList(
    { version: current.version + 1, account, accountKey: key.publicKey, previous: current.hash, certificates },
    key.sign,
  )
}
