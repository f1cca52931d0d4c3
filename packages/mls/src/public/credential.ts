/** Credentials (RFC 9420 section 5.3): who a leaf claims to be. What they mean is the application's to judge. */
import type { Bytes } from '../port.ts'
import { bytes, opaque, uint16, vector } from './codec.ts'
import type { Codec } from './codec.ts'

/** Credential (RFC 9420 section 5.3). */
export type Credential =
  | { readonly kind: 'basic'; readonly identity: Bytes }
  | { readonly kind: 'x509'; readonly certificates: readonly Bytes[] }
  /** Any other type; its content travels as one opaque vector. */
  | { readonly kind: 'custom'; readonly type: number; readonly data: Bytes }

const BASIC = 1
const X509 = 2

/** The private-use type (RFC 9420 section 17.5) under which a device certificate travels. */
export const CERTIFICATE_CREDENTIAL = 0xf0a0

/** A credential larger than this is no identity. */
const MAX_CREDENTIAL = 65_536

const certificates = vector(bytes, 16)
const content = opaque(MAX_CREDENTIAL)

/** The number of a credential on the wire (RFC 9420 section 17.5). */
export const credentialTypeOf = (credential: Credential): number =>
  credential.kind === 'basic' ? BASIC : credential.kind === 'x509' ? X509 : credential.type

export const credentialCodec: Codec<Credential> = {
  read: (from) => {
    const type = uint16.read(from)
    if (type === BASIC) return { kind: 'basic', identity: content.read(from) }
    if (type === X509) return { kind: 'x509', certificates: certificates.read(from) }
    return { kind: 'custom', type, data: content.read(from) }
  },
  write: (to, credential) => {
    uint16.write(to, credentialTypeOf(credential))
    if (credential.kind === 'basic') content.write(to, credential.identity)
    else if (credential.kind === 'x509') certificates.write(to, credential.certificates)
    else content.write(to, credential.data)
  },
}

/** The bytes that a judge of identities reads (RFC 9420 section 5.3): the identity, the end-entity certificate, or the custom content. */
export const credentialBytes = (credential: Credential): Bytes => {
  if (credential.kind === 'basic') return credential.identity
  return credential.kind === 'x509' ? (credential.certificates[0] ?? new Uint8Array()) : credential.data
}
