/** Leaf nodes and key packages (RFC 9420 sections 7.2 and 10): their shape, their signatures, their reference. */
import type { Bytes } from '../port.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { longRefHash, signWithLabel, verifyWithLabel } from '../crypto/suite.ts'
import {
  bytes,
  choice,
  empty,
  encode,
  opaque,
  remembered,
  select,
  struct,
  uint16,
  uint32,
  uint64,
  uint8,
  vector,
  vectorLength,
  Writer,
} from './codec.ts'
import type { Codec, RememberedCodec } from './codec.ts'
import { credentialCodec } from './credential.ts'
import type { Credential } from './credential.ts'
import { extensionsCodec } from './extensions.ts'
import type { Extension } from './extensions.ts'
import { versionCodec } from './framing.ts'

/** Lists hold unknown and GREASE values too; both are ignored. */
export interface Capabilities {
  readonly versions: readonly number[]
  readonly suites: readonly number[]
  readonly extensions: readonly number[]
  readonly proposals: readonly number[]
  readonly credentials: readonly number[]
}

export type LeafSource =
  /** Seconds since 1970. */
  | { readonly kind: 'key_package'; readonly notBefore: bigint; readonly notAfter: bigint }
  | { readonly kind: 'update' }
  | { readonly kind: 'commit'; readonly parentHash: Bytes }

/** LeafNode (RFC 9420 section 7.2). */
export interface LeafNode {
  readonly encryptionKey: Bytes
  readonly signatureKey: Bytes
  readonly credential: Credential
  readonly capabilities: Capabilities
  readonly source: LeafSource
  readonly extensions: readonly Extension[]
  readonly signature: Bytes
}

/** Key bytes are bounded by the largest key of any suite in sight (ML-KEM-1024 hybrids). */
export const MAX_KEY = 4096
export const keyCodec: Codec<Bytes> = opaque(MAX_KEY)
const signatureCodec = opaque(8192)
const types = vector(uint16, 1024)

const capabilitiesCodec = struct<Capabilities>({ versions: types, suites: types, extensions: types, proposals: types, credentials: types })

const sourceCodec: Codec<LeafSource> = select<LeafSource>(choice(uint8, { key_package: 1, update: 2, commit: 3 }, 'leaf node source'), {
  key_package: struct({ notBefore: uint64, notAfter: uint64 }),
  update: empty,
  commit: struct({ parentHash: opaque(255) }),
})

export type UnsignedLeaf = Omit<LeafNode, 'signature'>
const unsignedLeaf = {
  encryptionKey: keyCodec,
  signatureKey: keyCodec,
  credential: credentialCodec,
  capabilities: capabilitiesCodec,
  source: sourceCodec,
  extensions: extensionsCodec,
}
const unsignedLeafCodec = struct<UnsignedLeaf>(unsignedLeaf)
/** LeafNode (RFC 9420 section 7.2). */
export const leafNodeCodec: RememberedCodec<LeafNode> = remembered(struct<LeafNode>({ ...unsignedLeaf, signature: signatureCodec }))

/** Where a leaf of source `update` or `commit` stands; its signature covers it. */
export interface LeafPlace {
  readonly groupId: Bytes
  readonly leafIndex: number
}

const toBeSigned = (unsigned: Bytes, { source }: UnsignedLeaf, place: LeafPlace): Bytes => {
  if (source.kind === 'key_package') return unsigned
  const to = new Writer()
  to.raw(unsigned)
  bytes.write(to, place.groupId)
  uint32.write(to, place.leafIndex)
  return to.finish()
}

/** Where a signature stands last, what it covers is what stands before it. */
export const beforeSignature = (encoded: Bytes, signature: Bytes): Bytes =>
  encoded.subarray(0, encoded.length - encode(vectorLength, signature.length).length - signature.length)

export const signLeaf = async (by: CipherSuite, leaf: UnsignedLeaf, sign: LeafPlace & { secretKey: Bytes }): Promise<LeafNode> => ({
  ...leaf,
  signature: await signWithLabel(by, sign.secretKey, {
    label: 'LeafNodeTBS',
    content: toBeSigned(encode(unsignedLeafCodec, leaf), leaf, sign),
  }),
})

export const verifyLeafSignature = (by: CipherSuite, leaf: LeafNode, place: LeafPlace): Promise<boolean> => {
  const content = toBeSigned(beforeSignature(leafNodeCodec.bytesOf(leaf), leaf.signature), leaf, place)
  return verifyWithLabel(by, leaf.signatureKey, { label: 'LeafNodeTBS', content, signature: leaf.signature })
}

/** KeyPackage (RFC 9420 section 10). */
export interface KeyPackage {
  readonly version: 'mls10'
  readonly suite: number
  readonly initKey: Bytes
  readonly leaf: LeafNode
  readonly extensions: readonly Extension[]
  readonly signature: Bytes
}

export type UnsignedKeyPackage = Omit<KeyPackage, 'signature'>
const unsignedKeyPackage = { version: versionCodec, suite: uint16, initKey: keyCodec, leaf: leafNodeCodec, extensions: extensionsCodec }
const unsignedKeyPackageCodec = struct<UnsignedKeyPackage>(unsignedKeyPackage)
/** KeyPackage (RFC 9420 section 10), without the header of an MLSMessage. */
export const keyPackageCodec: RememberedCodec<KeyPackage> = remembered(
  struct<KeyPackage>({ ...unsignedKeyPackage, signature: signatureCodec }),
  'passing',
)

export const signKeyPackage = async (by: CipherSuite, unsigned: UnsignedKeyPackage, secretKey: Bytes): Promise<KeyPackage> => ({
  ...unsigned,
  signature: await signWithLabel(by, secretKey, { label: 'KeyPackageTBS', content: encode(unsignedKeyPackageCodec, unsigned) }),
})

export const verifyKeyPackageSignature = (by: CipherSuite, keyPackage: KeyPackage): Promise<boolean> =>
  verifyWithLabel(by, keyPackage.leaf.signatureKey, {
    label: 'KeyPackageTBS',
    content: beforeSignature(keyPackageCodec.bytesOf(keyPackage), keyPackage.signature),
    signature: keyPackage.signature,
  })

/** KeyPackageRef (RFC 9420 section 5.2). */
export const keyPackageRef = (by: CipherSuite, keyPackage: KeyPackage): Promise<Bytes> =>
  longRefHash(by, 'MLS 1.0 KeyPackage Reference', keyPackageCodec.bytesOf(keyPackage))
