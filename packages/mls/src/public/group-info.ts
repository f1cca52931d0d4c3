/** The group context, GroupInfo and Welcome (RFC 9420 sections 8.1 and 12.4.3): what a group agrees on and what a joiner gets. */
import type { Bytes } from '../port.ts'
import { concat } from '../crypto/bytes.ts'
import type { HpkeCiphertext } from '../crypto/hpke.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { signWithLabel, verifyWithLabel } from '../crypto/suite.ts'
import { bytes, encode, opaque, optional, remembered, struct, uint16, uint32, uint64, vector } from './codec.ts'
import type { Codec, RememberedCodec } from './codec.ts'
import { extensionsCodec } from './extensions.ts'
import type { Extension } from './extensions.ts'
import { groupIdCodec, versionCodec } from './framing.ts'
import { beforeSignature } from './leaf-node.ts'
import { hpkeCiphertextCodec, MAX_PROPOSALS, pskIdCodec } from './proposal.ts'
import type { PskId } from './proposal.ts'

/** GroupContext (RFC 9420 section 8.1): what all members of an epoch agree on. */
export interface GroupContext {
  readonly version: 'mls10'
  readonly suite: number
  readonly groupId: Bytes
  readonly epoch: bigint
  readonly treeHash: Bytes
  readonly confirmedTranscriptHash: Bytes
  readonly extensions: readonly Extension[]
}

/** Hashes, MACs and secrets are never longer than a hash. */
export const hashCodec: Codec<Bytes> = opaque(255)

/** GroupContext (RFC 9420 section 8.1). Remembered: every signature of an epoch covers it. */
export const groupContextCodec: RememberedCodec<GroupContext> = remembered(
  struct<GroupContext>({
    version: versionCodec,
    suite: uint16,
    groupId: groupIdCodec,
    epoch: uint64,
    treeHash: hashCodec,
    confirmedTranscriptHash: hashCodec,
    extensions: extensionsCodec,
  }),
)

/** GroupInfo (RFC 9420 section 12.4.3): what a newcomer is told of a group, signed by a member. */
export interface GroupInfo {
  readonly context: GroupContext
  readonly extensions: readonly Extension[]
  readonly confirmationTag: Bytes
  /** Leaf index of the member who signed. */
  readonly signer: number
  readonly signature: Bytes
}

type UnsignedGroupInfo = Omit<GroupInfo, 'signature'>
const signatureCodec = opaque(8192)
const unsigned = { context: groupContextCodec, extensions: extensionsCodec, confirmationTag: hashCodec, signer: uint32 }
const unsignedCodec = struct<UnsignedGroupInfo>(unsigned)
/** GroupInfo (RFC 9420 section 12.4.3), without the header of an MLSMessage. */
export const groupInfoCodec: RememberedCodec<GroupInfo> = remembered(
  struct<GroupInfo>({ ...unsigned, signature: signatureCodec }),
  'passing',
)

/** A GroupInfo, signed and encoded. It may have a whole tree in it, which is put together once. */
export const signGroupInfo = async (by: CipherSuite, info: UnsignedGroupInfo, secretKey: Bytes): Promise<Bytes> => {
  const content = encode(unsignedCodec, info)
  return concat(content, encode(signatureCodec, await signWithLabel(by, secretKey, { label: 'GroupInfoTBS', content })))
}

export const verifyGroupInfoSignature = (by: CipherSuite, info: GroupInfo, publicKey: Bytes): Promise<boolean> => {
  const content = beforeSignature(groupInfoCodec.bytesOf(info), info.signature)
  return verifyWithLabel(by, publicKey, { label: 'GroupInfoTBS', content, signature: info.signature })
}

/** What a Welcome encrypts to one joiner. */
export interface GroupSecrets {
  readonly joinerSecret: Bytes
  /** Present when the commit had a path: the secret of the lowest node above both committer and joiner. */
  readonly pathSecret: Bytes | undefined
  readonly psks: readonly PskId[]
}

export const groupSecretsCodec: Codec<GroupSecrets> = struct<GroupSecrets>({
  joinerSecret: hashCodec,
  pathSecret: optional(hashCodec),
  psks: vector(pskIdCodec, 256),
})

export interface EncryptedGroupSecrets {
  /** KeyPackageRef. */
  readonly newMember: Bytes
  readonly encryptedGroupSecrets: HpkeCiphertext
}

/** Welcome (RFC 9420 section 12.4.3.1). */
export interface Welcome {
  readonly suite: number
  readonly secrets: readonly EncryptedGroupSecrets[]
  readonly encryptedGroupInfo: Bytes
}

/** Welcome (RFC 9420 section 12.4.3.1), without the header of an MLSMessage. */
export const welcomeCodec: Codec<Welcome> = struct<Welcome>({
  suite: uint16,
  secrets: vector(struct<EncryptedGroupSecrets>({ newMember: hashCodec, encryptedGroupSecrets: hpkeCiphertextCodec }), MAX_PROPOSALS),
  encryptedGroupInfo: bytes,
})
