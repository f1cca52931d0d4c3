/**
 * Proposals from outside of a group (RFC 9420 section 12.1.8): by a party that the group lists in its external_senders
 * extension, or by a device that asks to be added. Neither has keys of the group, so both are PublicMessages without a
 * membership tag; members judge them like every proposal, and one of them commits them.
 */
import type { Bytes, LeafIdentity } from '../port.ts'
import { loadSuite } from '../crypto/suite.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { MlsError } from '../errors.ts'
import { expectAtMost } from '../group/profile.ts'
import type { CredentialKind } from '../group/profile.ts'
import { decode, encode } from '../public/codec.ts'
import { signContent } from '../public/content-auth.ts'
import { CERTIFICATE_CREDENTIAL } from '../public/credential.ts'
import { EXTENSION, externalSendersCodec, requiredCapabilitiesCodec } from '../public/extensions.ts'
import type { Extension, RequiredCapabilities } from '../public/extensions.ts'
import type { Sender } from '../public/framing.ts'
import type { GroupContext } from '../public/group-info.ts'
import { keyPackageCodec } from '../public/leaf-node.ts'
import { mlsMessageCodec } from '../public/message.ts'
import type { Proposal } from '../public/proposal.ts'
import { proposalOf } from './sending.ts'
import type { Wanted } from './sending.ts'

/** A group as an outsider knows it. */
export interface KnownGroup {
  readonly suite: number
  readonly groupId: Bytes
  /** The current epoch: a proposal is good for no other. */
  readonly epoch: bigint
}

const NONE: Bytes = new Uint8Array()

/** The proposal of an external sender, `senderIndex` being its place in the group's external_senders extension (section 12.1.8.1). */
export const proposeAsExternal = async (request: {
  readonly group: KnownGroup
  readonly senderIndex: number
  /** Signs for the key that the extension lists. */
  readonly secretKey: Bytes
  /** Custom types and updates are not for outsiders. */
  readonly wanted: Exclude<Wanted, { kind: 'custom' }>
  readonly authenticatedData?: Bytes
}): Promise<Bytes> => {
  const { group, senderIndex, secretKey, wanted, authenticatedData = NONE } = request
  const suite = await loadSuite(group.suite)
  const sender: Sender = { kind: 'external', senderIndex }
  return frame(suite, group, { sender, proposal: proposalOf({ suite }, wanted), secretKey, authenticatedData })
}

/** A device's proposal to add itself (section 12.1.8). It joins by the Welcome for its key package, like everybody. */
export const proposeOwnAdd = async (request: {
  readonly group: KnownGroup
  readonly identity: LeafIdentity
  /** Encoded, made with `identity`. */
  readonly keyPackage: Bytes
  readonly authenticatedData?: Bytes
}): Promise<Bytes> => {
  const { group, identity, authenticatedData = NONE } = request
  expectAtMost('keyPackage', request.keyPackage)
  const keyPackage = decode(keyPackageCodec, request.keyPackage)
  if (keyPackage.suite !== group.suite) throw new MlsError('usage', 'key package of another suite')
  const { secretKey } = identity.signature
  const sender: Sender = { kind: 'new_member_proposal' }
  return frame(await loadSuite(group.suite), group, { sender, proposal: { kind: 'add', keyPackage }, secretKey, authenticatedData })
}

const frame = async (
  by: CipherSuite,
  { groupId, epoch, suite }: KnownGroup,
  said: { sender: Sender; proposal: Proposal; secretKey: Bytes; authenticatedData: Bytes },
): Promise<Bytes> => {
  expectAtMost('authenticatedData', said.authenticatedData)
  const { sender, proposal, secretKey, authenticatedData } = said
  const framed = { groupId, epoch, sender, authenticatedData: authenticatedData.slice(), content: { kind: 'proposal', proposal } as const }
  // Outsiders sign without the group context, which they need not know (section 6.1).
  const context: GroupContext = { version: 'mls10', suite, groupId, epoch, treeHash: NONE, confirmedTranscriptHash: NONE, extensions: [] }
  const signature = await signContent(by, { wireFormat: 'public', framed }, { context, secretKey })
  const auth = { signature, confirmationTag: undefined }
  return encode(mlsMessageCodec, { kind: 'public', message: { framed, auth, membershipTag: undefined } })
}

/** The group context extension that lets these parties propose (section 12.1.8.1). Their credentials are the application's to judge. */
export const externalSenders = (
  senders: readonly { readonly signatureKey: Bytes; readonly credential: Bytes; readonly kind?: CredentialKind }[],
): Extension => {
  const listed = senders.map(({ signatureKey, credential, kind }) => ({
    signatureKey: signatureKey.slice(),
    credential:
      kind === 'basic'
        ? ({ kind, identity: credential.slice() } as const)
        : ({ kind: 'custom', type: CERTIFICATE_CREDENTIAL, data: credential.slice() } as const),
  }))
  return { type: EXTENSION.externalSenders, data: encode(externalSendersCodec, listed) }
}

/** The group context extension that says what every member must be able to do (section 11.1). */
export const requiredCapabilities = (required: RequiredCapabilities): Extension => ({
  type: EXTENSION.requiredCapabilities,
  data: encode(requiredCapabilitiesCodec, required),
})
