/** Key packages (RFC 9420 section 10): made for this device, and judged when they come from elsewhere. */
import { generateKeyPackageWithKey } from 'ts-mls'
import type { KeyPackage, PrivateKeyPackage } from 'ts-mls'
import { extensionTypeToNumber } from 'ts-mls/extension.js'
import { makeKeyPackageRef, verifyKeyPackage } from 'ts-mls/keyPackage.js'
import { verifyLeafNodeSignatureKeyPackage } from 'ts-mls/leafNode.js'
import { MlsError } from '../errors.ts'
import type { Bytes, KeyPackagePair, LeafIdentity } from '../port.ts'
import { decode, encode, opaque, struct } from '../public/codec.ts'
import { expectKemKey } from './keys.ts'
import { basicCredential, capabilitiesOf, credentialOf, expectLeaf } from './leaf.ts'
import { LAST_RESORT_EXTENSION, LIMITS } from './suite.ts'
import type { Suite } from './suite.ts'
import { decodePublishedKeyPackage, encodeKeyPackage, sameBytes } from './wire.ts'

interface KeyPackageRequest {
  readonly identity: LeafIdentity
  readonly notBefore: bigint
  readonly notAfter: bigint
  readonly lastResort: boolean
}

const secretCodec = struct({ initKey: opaque(64), encryptionKey: opaque(64) })

/** A key package with its private keys, not yet encoded. */
export const makeKeyPackage = async (
  suite: Suite,
  { identity, notBefore, notAfter, lastResort }: KeyPackageRequest,
): Promise<{ readonly keyPackage: KeyPackage; readonly secrets: PrivateKeyPackage }> => {
  const { credential, signature } = identity
  if (credential.length === 0 || credential.length > LIMITS.credential) throw new MlsError('usage', 'credential length')
  const { publicPackage, privatePackage } = await generateKeyPackageWithKey(
    basicCredential(credential),
    capabilitiesOf(suite),
    { notBefore, notAfter },
    lastResort ? [{ extensionType: LAST_RESORT_EXTENSION, extensionData: new Uint8Array() }] : [],
    { signKey: new Uint8Array(signature.secretKey), publicKey: new Uint8Array(signature.publicKey) },
    suite.cs,
  )
  expectLeaf(suite, publicPackage.leafNode)
  if (!(await verifyKeyPackage(publicPackage, suite.cs.signature))) throw new MlsError('usage', 'the signature pair does not match')
  return { keyPackage: publicPackage, secrets: privatePackage }
}

/** A key package to publish. Its lifetime may be 90 days at most. */
export const createKeyPackage = async (suite: Suite, request: KeyPackageRequest): Promise<KeyPackagePair> => {
  if (!plausibleLifetime(request)) throw new MlsError('usage', 'lifetime')
  const { keyPackage, secrets } = await makeKeyPackage(suite, request)
  return {
    ref: await makeKeyPackageRef(keyPackage, suite.cs.hash),
    keyPackage: encodeKeyPackage(keyPackage),
    secret: encode(secretCodec, { initKey: secrets.initPrivateKey, encryptionKey: secrets.hpkePrivateKey }),
  }
}

/** The private part that `createKeyPackage` gave, with the signature key put back. */
export const readSecrets = (secret: Bytes, identity: LeafIdentity): PrivateKeyPackage => {
  const { initKey, encryptionKey } = decode(secretCodec, secret)
  return {
    initPrivateKey: new Uint8Array(initKey),
    hpkePrivateKey: new Uint8Array(encryptionKey),
    signaturePrivateKey: new Uint8Array(identity.signature.secretKey),
  }
}

/** Checks an encoded KeyPackage (RFC 9420 section 10.1) and tells whose it is. Whether to believe that is the caller's. */
export const inspectKeyPackage = async (
  suite: Suite,
  bytes: Bytes,
  now: bigint,
): Promise<{ readonly ref: Bytes; readonly credential: Bytes; readonly signatureKey: Bytes; readonly lastResort: boolean }> => {
  const keyPackage = decodePublishedKeyPackage(bytes)
  await expectKeyPackage(suite, keyPackage)
  expectCurrent(keyPackage, now)
  return {
    ref: await makeKeyPackageRef(keyPackage, suite.cs.hash),
    credential: credentialOf(keyPackage.leafNode),
    signatureKey: keyPackage.leafNode.signaturePublicKey,
    lastResort: extensionTypes(keyPackage).includes(LAST_RESORT_EXTENSION),
  }
}

/** Everything about a key package but its lifetime and its credential. */
export const expectKeyPackage = async (suite: Suite, keyPackage: KeyPackage): Promise<void> => {
  const { leafNode, initKey, cipherSuite } = keyPackage
  if (cipherSuite !== suite.cs.name) throw new MlsError('unsupported', 'ciphersuite')
  expectLeaf(suite, leafNode)
  expectKemKey(suite, initKey)
  if (sameBytes(initKey, leafNode.hpkePublicKey)) throw new MlsError('invalid', 'init key equals encryption key')
  const carried = extensionTypes(keyPackage)
  if (new Set(carried).size !== carried.length) throw new MlsError('invalid', 'key package repeats an extension')
  if (carried.some((type) => !leafNode.capabilities.extensions.includes(type))) throw new MlsError('invalid', 'unlisted extension')
  const signed =
    (await verifyLeafNodeSignatureKeyPackage(leafNode, suite.cs.signature)) && (await verifyKeyPackage(keyPackage, suite.cs.signature))
  if (!signed) throw new MlsError('auth_failed', 'key package signature')
}

/** Throws unless the lifetime is plausible and holds at `now` (seconds; RFC 9420 section 7.2). */
export const expectCurrent = ({ leafNode }: KeyPackage, now: bigint): void => {
  if (leafNode.leafNodeSource !== 'key_package') throw new MlsError('invalid', 'leaf source')
  const { lifetime } = leafNode
  if (!plausibleLifetime(lifetime) || now < lifetime.notBefore || now > lifetime.notAfter) throw new MlsError('invalid', 'lifetime')
}

const plausibleLifetime = ({ notBefore, notAfter }: { readonly notBefore: bigint; readonly notAfter: bigint }): boolean =>
  notBefore >= 0n && notBefore <= notAfter && notAfter - notBefore <= LIMITS.lifetime

const extensionTypes = ({ extensions }: KeyPackage): number[] => extensions.map(({ extensionType }) => extensionTypeToNumber(extensionType))
