/**
 * Whether key packages could be used to add the device that publishes them (RFC 9420 section 10.1): sound, current, of a suite
 * that groups here have, and with the device's own certificate. Claimers check the same again.
 */
import { createHash } from 'node:crypto'
import { equalBytes, limits, readDeviceCertificate, Refusal, type DeviceCertificate, type KeyPackageUpload } from '@tacit/contract'
import {
  CERTIFICATE_CREDENTIAL,
  credentialBytes,
  credentialTypeOf,
  decode,
  encode,
  EXTENSION,
  findExtension,
  HYBRID_SUITE,
  keyPackageCodec,
  leafNodeCodec,
  MlsError,
  suiteOf,
  validateKeyPackage,
  type KeyPackage,
  type LeafNode,
} from '@tacit/mls/public'

export interface CheckedPackage {
  readonly bytes: Uint8Array
  /** SHA-256. */
  readonly hash: Uint8Array
}

export interface CheckedPackages {
  readonly oneTime: readonly CheckedPackage[]
  readonly lastResort: CheckedPackage | undefined
}

/** `now` in milliseconds. Refuses `invalid_key_package`. */
export async function checkPackages(
  { oneTime, lastResort }: KeyPackageUpload,
  { certificate, now }: { readonly certificate: DeviceCertificate; readonly now: number },
): Promise<CheckedPackages> {
  const check = (bytes: Uint8Array, isLastResort: boolean) => checkPackage(bytes, { certificate, now, isLastResort })
  return {
    oneTime: await Promise.all(oneTime.map((bytes) => check(bytes, false))),
    lastResort: lastResort && (await check(lastResort, true)),
  }
}

interface Expected {
  readonly certificate: DeviceCertificate
  readonly now: number
  readonly isLastResort: boolean
}

async function checkPackage(bytes: Uint8Array, expected: Expected): Promise<CheckedPackage> {
  const keyPackage = await readPackage(bytes, expected.now)
  const marked = findExtension(keyPackage.extensions, EXTENSION.lastResort) !== undefined
  if (marked !== expected.isLastResort || !(await isOfDevice(keyPackage.leaf, expected))) throw new Refusal('invalid_key_package')
  if (encode(leafNodeCodec, keyPackage.leaf).length > limits.leaf) throw new Refusal('invalid_key_package')
  return { bytes, hash: new Uint8Array(createHash('sha256').update(bytes).digest()) }
}

async function readPackage(bytes: Uint8Array, now: number): Promise<KeyPackage> {
  try {
    const keyPackage = decode(keyPackageCodec, bytes)
    await validateKeyPackage(suiteOf(HYBRID_SUITE), keyPackage, {
      now: BigInt(Math.floor(now / 1000)),
      maxLifetime: BigInt(limits.keyPackageLifetime),
    })
    return keyPackage
  } catch (error) {
    if (error instanceof MlsError) throw new Refusal('invalid_key_package')
    throw error
  }
}

/** The certificate in the list and the one in the leaf may differ in their expiry, in nothing else. */
async function isOfDevice({ credential, signatureKey }: LeafNode, { certificate, now }: Expected): Promise<boolean> {
  if (credentialTypeOf(credential) !== CERTIFICATE_CREDENTIAL || !equalBytes(signatureKey, certificate.signatureKey)) return false
  const own = await readDeviceCertificate(credentialBytes(credential))
  return (
    own?.account === certificate.account &&
    own.device === certificate.device &&
    equalBytes(own.accountKey, certificate.accountKey) &&
    equalBytes(own.signatureKey, signatureKey) &&
    own.notAfter * 1000 > now
  )
}
