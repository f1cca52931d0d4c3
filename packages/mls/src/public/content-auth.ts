/** Signing and verifying framed content (RFC 9420 section 6.1) and the transcript hashes over it (section 8.2). */
import type { Bytes } from '../port.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { signWithLabel, verifyWithLabel } from '../crypto/suite.ts'
import { MlsError } from '../errors.ts'
import { bytes, encode } from './codec.ts'
import { externalSendersOf } from './extensions.ts'
import { versionCodec, wireFormatCodec } from './framing.ts'
import { groupContextCodec, hashCodec } from './group-info.ts'
import type { GroupContext } from './group-info.ts'
import { authCodec, framedBytes } from './message.ts'
import type { AuthenticatedContent } from './message.ts'

type Unsigned = Pick<AuthenticatedContent, 'wireFormat' | 'framed'>

const VERSION = encode(versionCodec, 'mls10')
const FORMATS = { public: encode(wireFormatCodec, 'public'), private: encode(wireFormatCodec, 'private') }

/** FramedContentTBS in its parts: a commit of a megabyte is put together where it is hashed, and not before. */
const contentToBeSigned = ({ wireFormat, framed }: Unsigned, context: GroupContext): readonly Bytes[] => {
  const fromInside = framed.sender.kind === 'member' || framed.sender.kind === 'new_member_commit'
  const parts = [VERSION, FORMATS[wireFormat], framedBytes(framed)]
  return fromInside ? [...parts, groupContextCodec.bytesOf(context)] : parts
}

/** Signs content under the group context of the epoch in which it is sent. */
export const signContent = (by: CipherSuite, content: Unsigned, use: { context: GroupContext; secretKey: Bytes }): Promise<Bytes> =>
  signWithLabel(by, use.secretKey, { label: 'FramedContentTBS', content: contentToBeSigned(content, use.context) })

/** Where the keys come from with which content is verified. */
export interface Verifier {
  readonly context: GroupContext
  /** Signature key of an occupied leaf. */
  readonly keyAt: (leafIndex: number) => Bytes | undefined
}

/** The key that must have signed; throws `invalid` when the sender cannot have sent this. */
export const signatureKeyOf = ({ framed }: Pick<AuthenticatedContent, 'framed'>, { context, keyAt }: Verifier): Bytes => {
  const { sender, content } = framed
  const missing = (): never => {
    throw new MlsError('invalid', `no ${sender.kind} can have sent this`)
  }
  switch (sender.kind) {
    case 'member':
      return keyAt(sender.leafIndex) ?? missing()
    case 'external':
      return externalSendersOf(context.extensions)[sender.senderIndex]?.signatureKey ?? missing()
    case 'new_member_commit':
      return content.kind === 'commit' && content.commit.path ? content.commit.path.leaf.signatureKey : missing()
    case 'new_member_proposal':
      return content.kind === 'proposal' && content.proposal.kind === 'add' ? content.proposal.keyPackage.leaf.signatureKey : missing()
  }
}

/** Throws `auth_failed` unless the right key signed this content in this epoch. */
export const verifyContent = async (by: CipherSuite, content: AuthenticatedContent, verifier: Verifier): Promise<void> => {
  const signed = { label: 'FramedContentTBS', content: contentToBeSigned(content, verifier.context), signature: content.auth.signature }
  if (!(await verifyWithLabel(by, signatureKeyOf(content, verifier), signed))) throw new MlsError('auth_failed', 'content signature')
}

/** The membership tag of a PublicMessage (RFC 9420 section 6.2). */
export const membershipTag = async (
  by: CipherSuite,
  content: AuthenticatedContent,
  use: { context: GroupContext; membershipKey: Bytes },
): Promise<Bytes> => {
  const auth = encode(authCodec(content.framed.content.kind), content.auth)
  return by.hash.longHmac(use.membershipKey, ...contentToBeSigned(content, use.context), auth)
}

/** The confirmed transcript hash after a commit. */
export const confirmedTranscriptHash = (
  by: CipherSuite,
  interimBefore: Bytes,
  commit: Pick<AuthenticatedContent, 'wireFormat' | 'framed'> & { auth: { signature: Bytes } },
): Promise<Bytes> =>
  by.hash.longDigest(interimBefore, FORMATS[commit.wireFormat], framedBytes(commit.framed), encode(bytes, commit.auth.signature))

/** The interim transcript hash after a commit. */
export const interimTranscriptHash = (by: CipherSuite, confirmed: Bytes, confirmationTag: Bytes): Bytes =>
  by.hash.digest(confirmed, encode(hashCodec, confirmationTag))
