/**
 * What stands in the clear in front of every handshake and application message (RFC 9420 section 6): enough to route and
 * order it, and all that a delivery service may know of an application message.
 */
import type { Bytes } from '../port.ts'
import { bytes, choice, empty, opaque, passing, passOver, Reader, select, struct, uint16, uint32, uint64, uint8 } from './codec.ts'
import type { Codec } from './codec.ts'
import { MlsError } from '../errors.ts'

/** ContentType (RFC 9420 section 6). */
export type ContentType = 'application' | 'proposal' | 'commit'

/** Who framed a message (RFC 9420 section 6). `senderIndex` points into the external_senders extension. */
export type Sender =
  | { readonly kind: 'member'; readonly leafIndex: number }
  | { readonly kind: 'external'; readonly senderIndex: number }
  | { readonly kind: 'new_member_proposal' }
  | { readonly kind: 'new_member_commit' }

/** The clear part of a PublicMessage or PrivateMessage (RFC 9420 section 6). `sender` is present exactly when `wireFormat` is `public`: a PrivateMessage encrypts it. */
export interface FramingHeader {
  readonly wireFormat: 'public' | 'private'
  readonly groupId: Bytes
  readonly epoch: bigint
  readonly contentType: ContentType
  readonly authenticatedData: Bytes
  readonly sender?: Sender
}

/** A group id is chosen by its creator; 255 bytes is the most that anyone needs. */
export const groupIdCodec: Codec<Bytes> = opaque(255)

export const contentTypeCodec: Codec<ContentType> = choice(uint8, { application: 1, proposal: 2, commit: 3 }, 'content type')

export const senderCodec: Codec<Sender> = select<Sender>(
  choice(uint8, { member: 1, external: 2, new_member_proposal: 3, new_member_commit: 4 }, 'sender type'),
  {
    member: struct({ leafIndex: uint32 }),
    external: struct({ senderIndex: uint32 }),
    new_member_proposal: empty,
    new_member_commit: empty,
  },
)

/** `mls10`, the only version there is. */
export const versionCodec: Codec<'mls10'> = choice(uint16, { mls10: 1 }, 'protocol version')

/** Wire formats of RFC 9420 section 17.2. */
export const WIRE_FORMATS = { public: 1, private: 2, welcome: 3, group_info: 4, key_package: 5 } as const
export type WireFormat = keyof typeof WIRE_FORMATS
export const wireFormatCodec: Codec<WireFormat> = choice(uint16, WIRE_FORMATS, 'wire format')

const publicHeader = struct<Omit<Required<FramingHeader>, 'wireFormat'>>({
  groupId: groupIdCodec,
  epoch: uint64,
  sender: senderCodec,
  authenticatedData: bytes,
  contentType: contentTypeCodec,
})

const MAX_SENDER_DATA = 255

/** RFC 9420 section 6.3: a PrivateMessage is this and no more. */
export interface PrivateMessage {
  readonly groupId: Bytes
  readonly epoch: bigint
  readonly contentType: ContentType
  readonly authenticatedData: Bytes
  readonly encryptedSenderData: Bytes
  readonly ciphertext: Bytes
}

export const privateMessageCodec: Codec<PrivateMessage> = struct<PrivateMessage>({
  groupId: groupIdCodec,
  epoch: uint64,
  contentType: contentTypeCodec,
  authenticatedData: bytes,
  encryptedSenderData: opaque(MAX_SENDER_DATA),
  ciphertext: passing(),
})

/** What is sealed is passed over: a server reads this of every message, and has no use for the rest. */
const readPrivateHeader = (from: Reader): FramingHeader => {
  const header: FramingHeader = {
    wireFormat: 'private',
    groupId: groupIdCodec.read(from),
    epoch: uint64.read(from),
    contentType: contentTypeCodec.read(from),
    authenticatedData: bytes.read(from),
  }
  passOver(from, MAX_SENDER_DATA)
  passOver(from)
  from.expectEnd()
  return header
}

/**
 * Reads the clear header of an encoded MLSMessage that holds a PublicMessage or a PrivateMessage; byte strings are views of it.
 * Fails with `malformed`, with `unsupported` for another version or wire format, with `invalid` where sender and content
 * contradict RFC 9420 section 6.
 */
export const readFramingHeader = (message: Bytes): FramingHeader => {
  const from = new Reader(message, { owns: true })
  versionCodec.read(from)
  const wireFormat = wireFormatCodec.read(from)
  if (wireFormat === 'private') return readPrivateHeader(from)
  if (wireFormat !== 'public') throw new MlsError('unsupported', `wire format ${wireFormat} is no handshake or application message`)
  const header = publicHeader.read(from)
  expectFraming(header.sender, header.contentType)
  return { wireFormat, ...header }
}

/** Which senders may frame which contents in the clear: application data never (section 6), the rest by section 6.1. */
export const expectFraming = (sender: Sender, contentType: ContentType): void => {
  if (contentType === 'application') throw new MlsError('invalid', 'application data must be encrypted')
  const allowed = sender.kind === 'member' || (sender.kind === 'new_member_commit') === (contentType === 'commit')
  if (!allowed) throw new MlsError('invalid', `${sender.kind} cannot frame a ${contentType}`)
}
