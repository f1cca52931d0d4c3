/** Extensions (RFC 9420 section 13.4): typed by number, opaque by content, at most one of each type in a list. */
import type { Bytes } from '../port.ts'
import { MlsError } from '../errors.ts'
import { bytes, decode, encode, struct, uint16, vector } from './codec.ts'
import type { Codec } from './codec.ts'
import { credentialCodec } from './credential.ts'
import type { Credential } from './credential.ts'

export interface Extension {
  readonly type: number
  readonly data: Bytes
}

/** RFC 9420 section 17.3, draft-ietf-mls-extensions for `lastResort`, and ours of the private-use range. */
export const EXTENSION = {
  applicationId: 0x0001,
  ratchetTree: 0x0002,
  requiredCapabilities: 0x0003,
  externalPub: 0x0004,
  externalSenders: 0x0005,
  lastResort: 0x000a,
  /** The application's policy, in the group context. */
  policy: 0xf0a1,
  /** A note to joiners, in the GroupInfo. */
  note: 0xf0a2,
} as const

/** Types up to this one are "default": every client supports them and lists none of them (section 7.2). */
export const LAST_DEFAULT_EXTENSION = 0x0005

const list = vector(struct<Extension>({ type: uint16, data: bytes }), 256)

export const extensionsCodec: Codec<readonly Extension[]> = {
  read: (from) => {
    const extensions = list.read(from)
    if (new Set(extensions.map(({ type }) => type)).size < extensions.length) throw new MlsError('malformed', 'two extensions of one type')
    return extensions
  },
  write: (to, extensions) => list.write(to, extensions),
}

/** The data of an extension (RFC 9420 section 13.4); undefined when the list has none of the type. */
export const findExtension = (extensions: readonly Extension[], type: number): Bytes | undefined =>
  extensions.find((extension) => extension.type === type)?.data

/** RFC 9420 section 11.1. */
export interface RequiredCapabilities {
  readonly extensionTypes: readonly number[]
  readonly proposalTypes: readonly number[]
  readonly credentialTypes: readonly number[]
}

const types = vector(uint16, 1024)
export const requiredCapabilitiesCodec: Codec<RequiredCapabilities> = struct<RequiredCapabilities>({
  extensionTypes: types,
  proposalTypes: types,
  credentialTypes: types,
})

export const requiredCapabilitiesOf = (extensions: readonly Extension[]): RequiredCapabilities => {
  const data = findExtension(extensions, EXTENSION.requiredCapabilities)
  return data ? decode(requiredCapabilitiesCodec, data) : { extensionTypes: [], proposalTypes: [], credentialTypes: [] }
}

/** RFC 9420 section 12.1.8.1. */
export interface ExternalSender {
  readonly signatureKey: Bytes
  readonly credential: Credential
}

export const externalSendersCodec: Codec<readonly ExternalSender[]> = vector(
  struct<ExternalSender>({ signatureKey: bytes, credential: credentialCodec }),
  256,
)

export const externalSendersOf = (extensions: readonly Extension[]): readonly ExternalSender[] => {
  const data = findExtension(extensions, EXTENSION.externalSenders)
  return data ? decode(externalSendersCodec, data) : []
}

/** The `external_pub` extension holds a length-prefixed key inside its data (section 12.4.3.2), not the bare key. */
export const externalPubOf = (extensions: readonly Extension[]): Bytes | undefined => {
  const data = findExtension(extensions, EXTENSION.externalPub)
  return data && decode(bytes, data)
}

export const externalPubExtension = (publicKey: Bytes): Extension => ({ type: EXTENSION.externalPub, data: encode(bytes, publicKey) })
