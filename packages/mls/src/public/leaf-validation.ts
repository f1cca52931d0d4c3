/** What makes a leaf, a key package and a whole roster acceptable (RFC 9420 sections 7.3, 10.1 and 13). */
import type { AuthenticateLeaf, Bytes } from '../port.ts'
import { equal } from '../crypto/bytes.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { MlsError } from '../errors.ts'
import { credentialBytes, credentialTypeOf } from './credential.ts'
import { LAST_DEFAULT_EXTENSION, requiredCapabilitiesOf } from './extensions.ts'
import type { Extension } from './extensions.ts'
import { verifyKeyPackageSignature, verifyLeafSignature } from './leaf-node.ts'
import type { KeyPackage, LeafNode, LeafPlace } from './leaf-node.ts'
import { LAST_DEFAULT_PROPOSAL } from './proposal.ts'
import type { ParentNode, RatchetTree } from './tree.ts'

/** What a caller decides about leaves (RFC 9420 section 7.3). `now` (seconds) absent: lifetimes are not compared with the clock. */
export interface LeafPolicy {
  readonly authenticate: AuthenticateLeaf
  readonly now?: bigint
  /** Seconds; longer lifetimes are refused (RFC 9420 section 7.2). */
  readonly maxLifetime: bigint
}

const MLS10 = 1
const invalid = (why: string): MlsError => new MlsError('invalid', why)

/** Keys, capabilities and signature: all of a leaf that can be judged without its group and without the application. */
export const validateLeaf = async (by: CipherSuite, leaf: LeafNode, place: LeafPlace): Promise<void> => {
  by.signature.check(leaf.signatureKey)
  by.hpke.kem.check(leaf.encryptionKey)
  const { versions, suites, credentials, extensions } = leaf.capabilities
  if (!versions.includes(MLS10) || !suites.includes(by.id)) throw new MlsError('unsupported', 'leaf does not support the version or suite')
  if (!credentials.includes(credentialTypeOf(leaf.credential))) throw invalid('leaf uses a credential type that it does not list')
  if (!leaf.extensions.every(({ type }) => supportsExtension(extensions, type)))
    throw invalid('leaf uses an extension that it does not list')
  if (!(await verifyLeafSignature(by, leaf, place))) throw new MlsError('auth_failed', 'leaf signature')
}

const supportsExtension = (listed: readonly number[], type: number): boolean => type <= LAST_DEFAULT_EXTENSION || listed.includes(type)

/** Asks the application; throws `policy`. */
export const authenticateLeaf = async (leaf: LeafNode, authenticate: AuthenticateLeaf): Promise<void> => {
  const accepted = await authenticate({ credential: credentialBytes(leaf.credential), signatureKey: leaf.signatureKey })
  if (accepted !== true) throw new MlsError('policy', 'credential refused')
}

const NO_PLACE: LeafPlace = { groupId: new Uint8Array(), leafIndex: 0 }

/** RFC 9420 section 10.1, without the application's judgement. */
export const validateKeyPackage = async (
  by: CipherSuite,
  keyPackage: KeyPackage,
  policy: Omit<LeafPolicy, 'authenticate'>,
): Promise<void> => {
  if (keyPackage.suite !== by.id) throw new MlsError('unsupported', `key package of suite ${keyPackage.suite}`)
  const { leaf } = keyPackage
  if (leaf.source.kind !== 'key_package') throw invalid(`key package with a leaf of source ${leaf.source.kind}`)
  checkLifetime(leaf.source, policy)
  by.hpke.kem.check(keyPackage.initKey)
  if (equal(keyPackage.initKey, leaf.encryptionKey)) throw invalid('init key and encryption key are the same')
  const listed = leaf.capabilities.extensions
  if (!keyPackage.extensions.every(({ type }) => supportsExtension(listed, type)))
    throw invalid('key package uses an extension that its leaf does not list')
  const [, signed] = await Promise.all([validateLeaf(by, leaf, NO_PLACE), verifyKeyPackageSignature(by, keyPackage)])
  if (!signed) throw new MlsError('auth_failed', 'key package signature')
}

/** Throws `invalid` for a lifetime that is reversed, too long, or not current. */
export const checkLifetime = (lifetime: { notBefore: bigint; notAfter: bigint }, policy: { now?: bigint; maxLifetime: bigint }): void => {
  const { notBefore, notAfter } = lifetime
  if (notAfter < notBefore) throw invalid('lifetime ends before it begins')
  if (notAfter - notBefore > policy.maxLifetime) throw invalid('lifetime is too long')
  if (policy.now !== undefined && (policy.now < notBefore || policy.now > notAfter)) throw invalid('lifetime is not current')
}

/** A tree for which `validateRoster` held, and the extensions for which it did. */
interface SoundRoster {
  readonly tree: RatchetTree
  readonly context: { readonly extensions: readonly Extension[] }
}

/**
 * What must hold between the leaves of a tree and its group context: distinct keys, a credential type that everybody
 * understands, the extensions and capabilities that the group requires (RFC 9420 sections 7.3 and 12.2). Linear in the size of the
 * tree; nodes that it shares with the tree `before` it are compared with the others only, and not with each other again.
 */
export const validateRoster = (tree: RatchetTree, extensions: readonly Extension[], before?: SoundRoster): void => {
  const leaves = keptAndChanged(tree.leaves(), (leafIndex) => before?.tree.leaf(leafIndex))
  const parents = keptAndChanged(tree.parents(), (node) => before?.tree.parent(node))
  expectDistinctKeys(leaves, parents)
  const { kept, changed } = leaves
  const known = new Set(kept.map(({ credential }) => credentialTypeOf(credential)))
  const types = new Set([...known, ...changed.map(({ credential }) => credentialTypeOf(credential))])
  const sameNeeds = extensions === before?.context.extensions && types.size === known.size
  const required = requiredCapabilitiesOf(extensions)
  const needed = {
    extensions: [...required.extensionTypes, ...extensions.map(({ type }) => type)].filter((type) => type > LAST_DEFAULT_EXTENSION),
    proposals: required.proposalTypes.filter((type) => type > LAST_DEFAULT_PROPOSAL),
    credentials: [...required.credentialTypes, ...types],
  }
  for (const { capabilities } of sameNeeds ? changed : [...kept, ...changed]) {
    const able =
      needed.extensions.every((type) => capabilities.extensions.includes(type)) &&
      needed.proposals.every((type) => capabilities.proposals.includes(type)) &&
      needed.credentials.every((type) => capabilities.credentials.includes(type))
    if (!able) throw invalid('a leaf lacks a capability that the group needs')
  }
}

/** What a tree has of the tree before it, and what it has not. */
interface KeptAndChanged<T> {
  readonly kept: readonly T[]
  readonly changed: readonly T[]
}

const keptAndChanged = <T>(nodes: Iterable<readonly [at: number, node: T]>, before: (at: number) => T | undefined): KeptAndChanged<T> => {
  const [kept, changed]: [T[], T[]] = [[], []]
  for (const [at, node] of nodes) (before(at) === node ? kept : changed).push(node)
  return { kept, changed }
}

const expectDistinctKeys = (leaves: KeptAndChanged<LeafNode>, parents: KeptAndChanged<ParentNode>): void => {
  const [encryptionKeys, signatureKeys] = [new KeySet(), new KeySet()]
  const isSigned = ({ signatureKey }: LeafNode): boolean => signatureKeys.has(signatureKey)
  if (!leaves.changed.every(({ signatureKey }) => signatureKeys.add(signatureKey)) || leaves.kept.some(isSigned))
    throw invalid('two leaves with one signature key')
  const isTaken = ({ encryptionKey }: LeafNode | ParentNode): boolean => encryptionKeys.has(encryptionKey)
  const isNew = ({ encryptionKey }: LeafNode | ParentNode): boolean => encryptionKeys.add(encryptionKey)
  const distinct = leaves.changed.every(isNew) && parents.changed.every(isNew)
  if (!distinct || leaves.kept.some(isTaken) || parents.kept.some(isTaken)) throw invalid('two nodes with one encryption key')
}

/** Keys seen so far, found by a prefix, so that a kilobyte-long key costs no kilobyte of text. */
export class KeySet {
  /** First bytes of keys: most of a thousand members' keys are told from the ten of a path by one look. */
  readonly #begins = new Uint8Array(256)
  readonly #first = new Map<number, Bytes>()
  /** Those whose prefix another key has already. */
  readonly #others: Bytes[] = []

  has(key: Bytes): boolean {
    if (!this.#begins[key[0] ?? 0]) return false
    const known = this.#first.get(prefixOf(key))
    return known !== undefined && (equal(known, key) || this.#others.some((other) => equal(other, key)))
  }

  /** False when the key is there already. */
  add(key: Bytes): boolean {
    if (this.has(key)) return false
    const prefix = prefixOf(key)
    this.#begins[key[0] ?? 0] = 1
    if (this.#first.has(prefix)) this.#others.push(key)
    else this.#first.set(prefix, key)
    return true
  }
}

const prefixOf = (key: Bytes): number => ((key[0] ?? 0) | ((key[1] ?? 0) << 8) | ((key[2] ?? 0) << 16) | ((key[3] ?? 0) << 24)) ^ key.length
