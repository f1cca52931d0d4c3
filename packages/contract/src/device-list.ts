/**
 * The signed statements about devices: the certificate of one device, which rides in its MLS credential, and the
 * account's device list, a hash-chained sequence of versions. The account key signs both; the server stores and serves
 * them and has no key to make one. Layout: deterministic CBOR arrays, the signature last, over a label and the rest.
 */
import { z } from 'zod'
import { equalBytes, rawBytes } from './bytes.ts'
import { encodeCbor, type CborValue } from './cbor.ts'
import { AccountId, DeviceId } from './ids.ts'
import { limits } from './limits.ts'
import { isSignedBy, parseCbor, signedBytes, type Sign } from './signed.ts'
import { isWeakEd25519Key } from './weak-keys.ts'

const CERTIFICATE_LABEL = 'tacit device certificate v1'
const LIST_LABEL = 'tacit device list v1'

const key = rawBytes({ min: 32, max: 32 })
const signature = rawBytes({ min: 64, max: 64 })

/** A device certificate. `notAfter` in seconds since 1970. */
export interface DeviceCertificate {
  readonly account: AccountId
  /** Ed25519, 32 bytes. */
  readonly accountKey: Uint8Array
  readonly device: DeviceId
  /** Ed25519, 32 bytes; equals the signature key of the device's MLS leaves. */
  readonly signatureKey: Uint8Array
  readonly notAfter: number
}

/** One version of an account's device list. Version 1 has an empty `previous`; later ones the SHA-256 of the list before. */
export interface DeviceList {
  readonly version: number
  readonly account: AccountId
  readonly accountKey: Uint8Array
  readonly previous: Uint8Array
  /** Encoded certificates, at most 8. */
  readonly certificates: readonly Uint8Array[]
}

const CertificateArray = z.tuple([AccountId, key, DeviceId, key, z.int().min(0), signature])
const ListArray = z.tuple([
  z.int().min(1),
  AccountId,
  key,
  rawBytes({ max: 32 }),
  z.array(rawBytes({ max: 512 })).max(limits.devicesPerAccount),
  signature,
])

/** Signs a certificate and encodes it (about 190 bytes). */
export async function signDeviceCertificate(certificate: DeviceCertificate, sign: Sign): Promise<Uint8Array<ArrayBuffer>> {
  const fields = certificateFields(certificate)
  return encodeCbor([...fields, await sign(signedBytes(CERTIFICATE_LABEL, fields))])
}

/** Signs a list version and encodes it. */
export async function signDeviceList(list: DeviceList, sign: Sign): Promise<Uint8Array<ArrayBuffer>> {
  const fields = listFields(list)
  return encodeCbor([...fields, await sign(signedBytes(LIST_LABEL, fields))])
}

/** The certificate, if it is canonical and its signature by the account key it names holds; else undefined. Says nothing on whether that key is the right one, nor on time. */
export async function readDeviceCertificate(bytes: Uint8Array): Promise<DeviceCertificate | undefined> {
  const parsed = parseCbor(CertificateArray, bytes)
  if (!parsed) return undefined
  const [account, accountKey, device, signatureKey, notAfter, by] = parsed
  const certificate = { account, accountKey, device, signatureKey, notAfter }
  if (isWeakEd25519Key(signatureKey)) return undefined
  const holds = await isSignedBy({
    key: accountKey,
    signature: by,
    message: signedBytes(CERTIFICATE_LABEL, certificateFields(certificate)),
  })
  return holds ? certificate : undefined
}

/** A device list whose signature holds, with its certificates read and its hash; else undefined. */
export async function readDeviceList(
  bytes: Uint8Array,
): Promise<(DeviceList & { devices: readonly DeviceCertificate[]; hash: Uint8Array }) | undefined> {
  if (bytes.length > limits.deviceList) return undefined
  const parsed = parseCbor(ListArray, bytes)
  if (!parsed) return undefined
  const [version, account, accountKey, previous, certificates, by] = parsed
  const list: DeviceList = { version, account, accountKey, previous, certificates }
  if (previous.length !== (version === 1 ? 0 : 32)) return undefined
  if (!(await isSignedBy({ key: accountKey, signature: by, message: signedBytes(LIST_LABEL, listFields(list)) }))) return undefined
  const devices: DeviceCertificate[] = []
  for (const certificate of certificates) {
    const device = await readDeviceCertificate(certificate)
    if (!device || device.account !== account || !equalBytes(device.accountKey, accountKey)) return undefined
    if (devices.some((other) => other.device === device.device || equalBytes(other.signatureKey, device.signatureKey))) return undefined
    devices.push(device)
  }
  return { ...list, devices, hash: await hashDeviceList(bytes) }
}

/** SHA-256 of an encoded list: what the next version names as `previous`. */
export async function hashDeviceList(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)))
}

const certificateFields = (certificate: DeviceCertificate): CborValue[] => [
  certificate.account,
  certificate.accountKey,
  certificate.device,
  certificate.signatureKey,
  certificate.notAfter,
]

const listFields = (list: DeviceList): CborValue[] => [list.version, list.account, list.accountKey, list.previous, list.certificates]
