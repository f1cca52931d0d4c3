/**
 * How this engine uses MLS: which capabilities its leaves have, what stands in a group context, how large things may be.
 * RFC 9420 leaves all of it to the application.
 */
import type { Bytes, LeafIdentity } from '../port.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { randomBytes } from '../crypto/webcrypto.ts'
import { MlsError } from '../errors.ts'
import { CERTIFICATE_CREDENTIAL } from '../public/credential.ts'
import { EXTENSION, findExtension } from '../public/extensions.ts'
import type { Extension } from '../public/extensions.ts'
import type { Capabilities, UnsignedLeaf } from '../public/leaf-node.ts'
import { MAX_POLICY } from '../public/profile.ts'

/** Bytes, unless said otherwise. */
export const LIMITS = {
  groupId: 255,
  credential: 16 * 1024,
  policy: MAX_POLICY,
  note: 256,
  authenticatedData: 64 * 1024,
  payload: 1024 * 1024,
  keyPackage: 64 * 1024,
  message: 16 * 1024 * 1024,
  snapshot: 64 * 1024 * 1024,
  /** Generations that a receiver follows a sender. */
  forward: 64,
} as const

/** One of the values that exist to be ignored (RFC 9420 section 13.5). */
const grease = (): number => {
  const nibble = (randomBytes(1)[0] ?? 0) % 15
  return (nibble << 12) | 0x0a00 | (nibble << 4) | 0x0a
}

/** `certificate` is ours; `basic` (RFC 9420 section 5.3) is what everybody understands. */
export type CredentialKind = 'certificate' | 'basic'

const BASIC_CREDENTIAL = 1

/** A leaf that can do more than those of the profile, or is somebody in another way. */
export interface LeafStyle {
  readonly credential?: CredentialKind
  /** Types of extensions and proposals that the application understands beside its own (RFC 9420 section 7.2). */
  readonly understands?: { readonly extensions?: readonly number[]; readonly proposals?: readonly number[] }
}

/** Capabilities of our leaves, salted with values that others must ignore. */
const capabilitiesOf = (by: CipherSuite, { credential, understands = {} }: LeafStyle): Capabilities => ({
  versions: [1],
  suites: [by.id, grease()],
  extensions: [EXTENSION.lastResort, EXTENSION.policy, EXTENSION.note, ...(understands.extensions ?? []), grease()],
  proposals: [...(understands.proposals ?? []), grease()],
  credentials: [credential === 'basic' ? BASIC_CREDENTIAL : CERTIFICATE_CREDENTIAL, grease()],
})

/** A leaf of ours, but for its keys, source and signature. */
export const leafOf = (
  by: CipherSuite,
  { credential, signature }: LeafIdentity,
  style: LeafStyle = {},
): Omit<UnsignedLeaf, 'encryptionKey' | 'source'> => {
  if (credential.length === 0) throw new MlsError('usage', 'credential is empty')
  expectAtMost('credential', credential)
  return {
    signatureKey: signature.publicKey.slice(),
    credential:
      style.credential === 'basic'
        ? { kind: 'basic', identity: credential.slice() }
        : { kind: 'custom', type: CERTIFICATE_CREDENTIAL, data: credential.slice() },
    capabilities: capabilitiesOf(by, style),
    extensions: [],
  }
}

/** Throws `too_large`. */
export const expectAtMost = (
  what: 'groupId' | 'credential' | 'policy' | 'note' | 'authenticatedData' | 'payload' | 'keyPackage' | 'message',
  value: Bytes,
): void => {
  if (value.length > LIMITS[what]) throw new MlsError('too_large', `${what} of ${value.length} bytes, at most ${LIMITS[what]}`)
}

/** Extensions of a GroupInfo beside tree and external key: the note, and one to be ignored. */
export const infoExtensions = (note: Bytes): readonly Extension[] => {
  expectAtMost('note', note)
  const greased = { type: grease(), data: randomBytes(8) }
  return note.length === 0 ? [greased] : [{ type: EXTENSION.note, data: note.slice() }, greased]
}

/** The note of a GroupInfo; empty when there is none. */
export const noteOf = (extensions: readonly Extension[]): Bytes => {
  const note = findExtension(extensions, EXTENSION.note) ?? new Uint8Array()
  expectAtMost('note', note)
  return note
}
