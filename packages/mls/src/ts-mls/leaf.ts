/**
 * Leaves: what one may contain here (RFC 9420 section 7.3), and who it says it is. The credential type is `basic`; its
 * identity is the encoded device certificate, which MLS does not look into.
 */
import type { Capabilities, Credential, LeafNode } from 'ts-mls'
import { extensionTypeToNumber } from 'ts-mls/extension.js'
import { MlsError } from '../errors.ts'
import type { AuthenticateLeaf, Bytes, Member } from '../port.ts'
import { expectKemKey, expectSignatureKey } from './keys.ts'
import { LAST_RESORT_EXTENSION, LIMITS, NOTE_EXTENSION, POLICY_EXTENSION } from './suite.ts'
import type { Suite } from './suite.ts'

/** What every leaf of this engine can do; the policy extension among it is what a group requires. */
export const capabilitiesOf = ({ cs }: Suite): Capabilities => ({
  versions: ['mls10'],
  ciphersuites: [cs.name],
  extensions: [LAST_RESORT_EXTENSION, POLICY_EXTENSION, NOTE_EXTENSION],
  proposals: [],
  credentials: ['basic'],
})

export const basicCredential = (identity: Bytes): Credential => ({ credentialType: 'basic', identity: new Uint8Array(identity) })

/** The certificate bytes of a leaf; fails with `unsupported` for other credential types. */
export const credentialOf = ({ credential }: LeafNode): Bytes => {
  if (credential.credentialType !== 'basic') throw new MlsError('unsupported', 'credential type')
  return credential.identity
}

export const memberOf = (leafIndex: number, leaf: LeafNode): Member =>
  Object.freeze({ leafIndex, credential: credentialOf(leaf), signatureKey: leaf.signaturePublicKey })

/** Throws unless the contents of a leaf, apart from its signature and its place, are acceptable. */
export const expectLeaf = (suite: Suite, leaf: LeafNode): void => {
  const credential = credentialOf(leaf)
  if (credential.length === 0 || credential.length > LIMITS.credential) throw new MlsError('too_large', 'credential length')
  expectSignatureKey(leaf.signaturePublicKey)
  expectKemKey(suite, leaf.hpkePublicKey)
  const { versions, ciphersuites, extensions, credentials } = leaf.capabilities
  const capable = versions.includes('mls10') && ciphersuites.includes(suite.cs.name) && credentials.includes('basic')
  if (!capable || !extensions.includes(POLICY_EXTENSION)) throw new MlsError('unsupported', 'leaf lacks a capability of the group')
  const carried = leaf.extensions.map(({ extensionType }) => extensionTypeToNumber(extensionType))
  if (new Set(carried).size !== carried.length) throw new MlsError('invalid', 'leaf repeats an extension')
  if (carried.some((type) => !extensions.includes(type))) throw new MlsError('invalid', 'leaf carries an extension that it does not list')
}

/** Asks the caller whether a leaf may be what it says; a no is `policy`. */
export const expectAuthentic = async (leaf: LeafNode, authenticate: AuthenticateLeaf): Promise<void> => {
  const asked = { credential: credentialOf(leaf), signatureKey: leaf.signaturePublicKey }
  await expectYes(() => authenticate(asked), 'credential refused')
}

/** Asks a hook of the caller. Anything but `true`, an exception too, is `policy`; the exception becomes its `cause`. */
export const expectYes = async (ask: () => Promise<boolean>, refusal: string): Promise<void> => {
  let answer = false
  try {
    answer = await ask()
  } catch (error) {
    throw new MlsError('policy', 'a hook failed', { cause: error })
  }
  if (answer !== true) throw new MlsError('policy', refusal)
}
