/** Whole messages (RFC 9420 section 6): content, its authentication, and the envelope of every wire format. */
import type { Bytes } from '../port.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { refHash } from '../crypto/suite.ts'
import { MlsError } from '../errors.ts'
import { bytes, decodeMessage, encode, opaque, remembered, select, struct, uint64 } from './codec.ts'
import type { Codec, Reader, RememberedCodec } from './codec.ts'
import {
  contentTypeCodec,
  expectFraming,
  groupIdCodec,
  privateMessageCodec,
  senderCodec,
  versionCodec,
  wireFormatCodec,
} from './framing.ts'
import type { PrivateMessage, Sender } from './framing.ts'
import { groupInfoCodec, hashCodec, welcomeCodec } from './group-info.ts'
import type { GroupInfo, Welcome } from './group-info.ts'
import { keyPackageCodec } from './leaf-node.ts'
import type { KeyPackage } from './leaf-node.ts'
import { commitCodec, proposalCodec } from './proposal.ts'
import type { Commit, Proposal } from './proposal.ts'

export type Content =
  | { readonly kind: 'application'; readonly data: Bytes }
  | { readonly kind: 'proposal'; readonly proposal: Proposal }
  | { readonly kind: 'commit'; readonly commit: Commit }

export interface FramedContent {
  readonly groupId: Bytes
  readonly epoch: bigint
  readonly sender: Sender
  readonly authenticatedData: Bytes
  readonly content: Content
}

/** FramedContentAuthData; the tag is there for commits only. */
export interface ContentAuth {
  readonly signature: Bytes
  readonly confirmationTag: Bytes | undefined
}

/** AuthenticatedContent (RFC 9420 section 6). */
export interface AuthenticatedContent {
  readonly wireFormat: 'public' | 'private'
  readonly framed: FramedContent
  readonly auth: ContentAuth
}

/** PublicMessage (RFC 9420 section 6.2). */
export interface PublicMessage {
  readonly framed: FramedContent
  readonly auth: ContentAuth
  /** For senders of kind `member` only. */
  readonly membershipTag: Bytes | undefined
}

const contentBodies = {
  application: struct({ data: bytes }),
  proposal: struct({ proposal: proposalCodec }),
  commit: struct({ commit: commitCodec }),
}
const contentCodec: Codec<Content> = select<Content>(contentTypeCodec, contentBodies)

const plainContentCodec = struct<FramedContent>({
  groupId: groupIdCodec,
  epoch: uint64,
  sender: senderCodec,
  authenticatedData: bytes,
  content: contentCodec,
})

/** Remembered: a commit of a megabyte goes into its signature, its membership tag and the transcript hash. */
export const framedContentCodec: RememberedCodec<FramedContent> = remembered(plainContentCodec, 'passing')

/** The encoding of framed content; that of application data is needed once. */
export const framedBytes = (framed: FramedContent): Bytes =>
  framed.content.kind === 'application' ? encode(plainContentCodec, framed) : framedContentCodec.bytesOf(framed)

const signatureCodec = opaque(8192)
const commitAuthCodec: Codec<ContentAuth> = struct<ContentAuth>({
  signature: signatureCodec,
  confirmationTag: hashCodec as Codec<Bytes | undefined>,
})
const plainAuthCodec: Codec<ContentAuth> = {
  read: (from) => ({ signature: signatureCodec.read(from), confirmationTag: undefined }),
  write: (to, auth) => signatureCodec.write(to, auth.signature),
}

/** The authentication that follows a content of this kind. */
export const authCodec = (kind: Content['kind']): Codec<ContentAuth> => (kind === 'commit' ? commitAuthCodec : plainAuthCodec)

/** What PrivateMessageContent holds before its padding. */
export interface PrivateContent {
  readonly content: Content
  readonly auth: ContentAuth
}

/** The plaintext of a PrivateMessage without padding; the kind stands outside of it. */
export const privateContentCodec = (kind: Content['kind']): Codec<PrivateContent> => ({
  read: (from) => ({ content: readBody(kind, from), auth: authCodec(kind).read(from) }),
  write: (to, { content, auth }) => {
    if (content.kind === 'application') contentBodies.application.write(to, content)
    else if (content.kind === 'proposal') contentBodies.proposal.write(to, content)
    else contentBodies.commit.write(to, content)
    authCodec(kind).write(to, auth)
  },
})

const readBody = (kind: Content['kind'], from: Reader): Content => {
  if (kind === 'application') return { kind, ...contentBodies.application.read(from) }
  return kind === 'proposal' ? { kind, ...contentBodies.proposal.read(from) } : { kind, ...contentBodies.commit.read(from) }
}

export const publicMessageCodec: Codec<PublicMessage> = {
  read: (from) => {
    const framed = framedContentCodec.read(from)
    expectFraming(framed.sender, framed.content.kind)
    const auth = authCodec(framed.content.kind).read(from)
    return { framed, auth, membershipTag: framed.sender.kind === 'member' ? hashCodec.read(from) : undefined }
  },
  write: (to, { framed, auth, membershipTag }) => {
    framedContentCodec.write(to, framed)
    authCodec(framed.content.kind).write(to, auth)
    if (membershipTag) hashCodec.write(to, membershipTag)
  },
}

export const authenticatedContentCodec: Codec<AuthenticatedContent> = {
  read: (from) => {
    const wireFormat = wireFormatCodec.read(from)
    if (wireFormat !== 'public' && wireFormat !== 'private') throw new MlsError('malformed', `content in wire format ${wireFormat}`)
    const framed = framedContentCodec.read(from)
    return { wireFormat, framed, auth: authCodec(framed.content.kind).read(from) }
  },
  write: (to, { wireFormat, framed, auth }) => {
    wireFormatCodec.write(to, wireFormat)
    framedContentCodec.write(to, framed)
    authCodec(framed.content.kind).write(to, auth)
  },
}

/** ProposalRef (RFC 9420 section 5.2). */
export const proposalRef = (by: CipherSuite, content: AuthenticatedContent): Bytes =>
  refHash(by, 'MLS 1.0 Proposal Reference', encode(authenticatedContentCodec, content))

/** MLSMessage (RFC 9420 section 6): any message, told apart by its wire format. */
export type MlsMessage =
  | { readonly kind: 'public'; readonly message: PublicMessage }
  | { readonly kind: 'private'; readonly message: PrivateMessage }
  | { readonly kind: 'welcome'; readonly welcome: Welcome }
  | { readonly kind: 'group_info'; readonly groupInfo: GroupInfo }
  | { readonly kind: 'key_package'; readonly keyPackage: KeyPackage }

const messageBody: Codec<MlsMessage> = select<MlsMessage>(wireFormatCodec, {
  public: struct({ message: publicMessageCodec }),
  private: struct({ message: privateMessageCodec }),
  welcome: struct({ welcome: welcomeCodec }),
  group_info: struct({ groupInfo: groupInfoCodec }),
  key_package: struct({ keyPackage: keyPackageCodec }),
})

/** MLSMessage (RFC 9420 section 6) of any wire format. */
export const mlsMessageCodec: Codec<MlsMessage> = {
  read: (from) => {
    versionCodec.read(from)
    return messageBody.read(from)
  },
  write: (to, message) => {
    versionCodec.write(to, 'mls10')
    messageBody.write(to, message)
  },
}

/** Decodes an MLSMessage (RFC 9420 section 6) of the wanted kind. Fails with `malformed`, `too_large`, or `unsupported` for another kind. */
export const readMessage = <K extends MlsMessage['kind']>(message: Bytes, kind: K): Extract<MlsMessage, { kind: K }> => {
  const decoded = decodeMessage(mlsMessageCodec, message)
  if (!isKind(decoded, kind)) throw new MlsError('unsupported', `a ${decoded.kind} message where ${kind} is expected`)
  return decoded
}

const isKind = <K extends MlsMessage['kind']>(message: MlsMessage, kind: K): message is Extract<MlsMessage, { kind: K }> =>
  message.kind === kind
