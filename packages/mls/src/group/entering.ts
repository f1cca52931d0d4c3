/** Ways into a group: founding one, joining by Welcome, joining by external commit; and the key packages for it. */
import type {
  AuthenticateLeaf,
  Bytes,
  ExternalJoin,
  ExternalJoinRequest,
  Group,
  Joined,
  KeyPackagePair,
  LeafIdentity,
  Member,
  Snapshot,
} from '../port.ts'
import { equal } from '../crypto/bytes.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { randomBytes } from '../crypto/webcrypto.ts'
import { MlsError } from '../errors.ts'
import { memberOf, membersOf } from '../public/members.ts'
import { decode, encode, struct } from '../public/codec.ts'
import { interimTranscriptHash } from '../public/content-auth.ts'
import { CERTIFICATE_CREDENTIAL, credentialBytes, credentialTypeOf } from '../public/credential.ts'
import { EXTENSION, externalPubOf, findExtension } from '../public/extensions.ts'
import type { Extension } from '../public/extensions.ts'
import type { GroupContext, GroupInfo } from '../public/group-info.ts'
import { readGroupInfo, treeOf } from '../public/joining.ts'
import { keyCodec, keyPackageCodec, keyPackageRef, signKeyPackage, signLeaf } from '../public/leaf-node.ts'
import type { LeafNode, LeafSource } from '../public/leaf-node.ts'
import { validateKeyPackage } from '../public/leaf-validation.ts'
import type { LeafPolicy } from '../public/leaf-validation.ts'
import { readMessage } from '../public/message.ts'
import type { Proposal } from '../public/proposal.ts'
import { contextExtensions, expectContextExtensions, policyOf } from '../public/profile.ts'
import { leafToNode } from '../public/tree-math.ts'
import { RatchetTree } from '../public/tree.ts'
import { makeCommit, publishInfo } from './create-commit.ts'
import { groupOf, ownCopy } from './handle.ts'
import { secretsOfEpoch, sendExternalInit } from './key-schedule.ts'
import type { FindPsk } from './key-schedule.ts'
import { guardedAuthenticate } from './opening.ts'
import { snapshotOf } from './persist.ts'
import { expectAtMost, infoExtensions, leafOf, noteOf } from './profile.ts'
import type { LeafStyle } from './profile.ts'
import { freshSecretTree } from './state.ts'
import type { GroupState } from './state.ts'
import { openWelcome } from './welcome.ts'
import type { OpenedWelcome } from './welcome.ts'

const NONE: Bytes = new Uint8Array()
const NOWHERE = { groupId: NONE, leafIndex: 0 }
const noPsk = (): Promise<undefined> => Promise.resolve(undefined)

const secretCodec = struct<{ initKey: Bytes; encryptionKey: Bytes }>({ initKey: keyCodec, encryptionKey: keyCodec })

export interface KeyPackageRequest {
  readonly identity: LeafIdentity
  readonly notBefore: bigint
  readonly notAfter: bigint
  readonly lastResort: boolean
}

/** A fresh leaf of ours, for a key package or as the first of a group. */
export const newLeaf = async (by: CipherSuite, identity: LeafIdentity, use: { source: LeafSource; style?: LeafStyle }) => {
  const pair = await by.hpke.kem.generate()
  const unsigned = { ...leafOf(by, identity, use.style), encryptionKey: pair.publicKey, source: use.source }
  return { pair, leaf: await signLeaf(by, unsigned, { ...NOWHERE, secretKey: identity.signature.secretKey }) }
}

export const makeKeyPackage = async (
  by: CipherSuite,
  request: KeyPackageRequest,
  maxLifetime: bigint,
  style: LeafStyle = {},
): Promise<KeyPackagePair> => {
  const { notBefore, notAfter, lastResort } = request
  if (notAfter < notBefore || notAfter - notBefore > maxLifetime) throw new MlsError('usage', 'lifetime of the key package')
  const identity = ownCopy(request.identity)
  const [initPair, { pair, leaf }] = await Promise.all([
    by.hpke.kem.generate(),
    newLeaf(by, identity, { source: { kind: 'key_package', notBefore, notAfter }, style }),
  ])
  const extensions = lastResort ? [{ type: EXTENSION.lastResort, data: NONE }] : []
  const unsigned = { version: 'mls10', suite: by.id, initKey: initPair.publicKey, leaf, extensions } as const
  const keyPackage = await signKeyPackage(by, unsigned, identity.signature.secretKey)
  return {
    ref: await keyPackageRef(by, keyPackage),
    keyPackage: encode(keyPackageCodec, keyPackage),
    secret: encode(secretCodec, { initKey: initPair.secretKey, encryptionKey: pair.secretKey }),
  }
}

export const inspectPackage = async (by: CipherSuite, encoded: Bytes, policy: { now: bigint; maxLifetime: bigint }) => {
  expectAtMost('keyPackage', encoded)
  const keyPackage = decode(keyPackageCodec, encoded)
  await validateKeyPackage(by, keyPackage, policy)
  if (credentialTypeOf(keyPackage.leaf.credential) !== CERTIFICATE_CREDENTIAL) throw new MlsError('unsupported', 'credential type')
  return {
    ref: await keyPackageRef(by, keyPackage),
    credential: credentialBytes(keyPackage.leaf.credential),
    signatureKey: keyPackage.leaf.signatureKey,
    lastResort: findExtension(keyPackage.extensions, EXTENSION.lastResort) !== undefined,
  }
}

/** The founder's leaf is never published as a key package, so its lifetime limits nothing. */
const ALWAYS: LeafSource = { kind: 'key_package', notBefore: 0n, notAfter: 2n ** 64n - 1n }

/** A group of one at epoch 0 (RFC 9420 section 11). */
export const foundGroup = async (
  by: CipherSuite,
  request: { readonly groupId: Bytes; readonly identity: LeafIdentity; readonly policy: Bytes },
  withTree: boolean,
): Promise<{ readonly group: Group; readonly groupInfo: Bytes; readonly ratchetTree: Bytes; readonly persist: Snapshot }> => {
  const state = await foundState(by, { ...request, extensions: contextExtensions(request.policy) })
  return {
    group: groupOf(state),
    groupInfo: await groupInfoOf(state, { note: NONE, withTree }),
    ratchetTree: encode(RatchetTree.codec(by.hash), state.tree),
    persist: snapshotOf(state),
  }
}

/** As `foundGroup`, with the group context extensions as they are. */
export const foundState = async (
  by: CipherSuite,
  request: {
    readonly groupId: Bytes
    readonly identity: LeafIdentity
    readonly extensions: readonly Extension[]
    readonly style?: LeafStyle
  },
): Promise<GroupState> => {
  if (request.groupId.length === 0) throw new MlsError('usage', 'group id is empty')
  expectAtMost('groupId', request.groupId)
  const identity = ownCopy(request.identity)
  by.signature.check(identity.signature.publicKey)
  const { pair, leaf } = await newLeaf(by, identity, { ...request, source: ALWAYS })
  const tree = RatchetTree.of(by.hash, leaf)
  const context: GroupContext = {
    version: 'mls10',
    suite: by.id,
    groupId: request.groupId.slice(),
    epoch: 0n,
    treeHash: tree.treeHash(),
    confirmedTranscriptHash: NONE,
    extensions: request.extensions,
  }
  const { secrets, encryption } = secretsOfEpoch(by, randomBytes(by.hash.length))
  const confirmationTag = by.hash.hmac(secrets.confirmation, NONE)
  return {
    suite: by,
    context,
    tree,
    interimTranscriptHash: interimTranscriptHash(by, NONE, confirmationTag),
    confirmationTag,
    identity,
    ownLeaf: 0,
    keys: new Map([[leafToNode(0), pair]]),
    secrets,
    secretTree: freshSecretTree(encryption, tree),
    ...FRESH,
  }
}

const FRESH = { proposals: new Map(), ownUpdates: new Map(), past: undefined, ended: undefined, reinit: undefined }

const groupInfoOf = (state: GroupState, { note, withTree }: { note: Bytes; withTree: boolean }): Promise<Bytes> =>
  publishInfo({
    by: state.suite,
    start: state,
    signer: state.ownLeaf,
    secretKey: state.identity.signature.secretKey,
    extensions: infoExtensions(note),
    external: state.secrets.external,
    withTree,
  })

export interface JoinRequest {
  readonly welcome: Bytes
  readonly keyPackage: KeyPackagePair
  readonly identity: LeafIdentity
  readonly authenticate: AuthenticateLeaf
  /** The encoded ratchet tree when the Welcome does not carry it. */
  readonly ratchetTree?: Bytes
}

/** Joins with the key package that a Welcome was made for. */
export const joinByWelcome = async (by: CipherSuite, request: JoinRequest, maxLifetime: bigint): Promise<Joined> => {
  const { state, info } = await openFor(by, request, { maxLifetime, findPsk: noPsk })
  expectContextExtensions(state.context.extensions)
  return { group: groupOf(state), signer: signerOf(state.tree, info), note: noteOf(info.extensions).slice(), persist: snapshotOf(state) }
}

/** Opens a Welcome, whatever its group is for. */
export const openFor = async (
  by: CipherSuite,
  request: JoinRequest,
  use: { maxLifetime: bigint; findPsk: FindPsk },
): Promise<OpenedWelcome> => {
  expectAtMost('message', request.welcome)
  const { welcome } = readMessage(request.welcome, 'welcome')
  const keyPackage = decode(keyPackageCodec, request.keyPackage.keyPackage)
  const identity = ownCopy(request.identity)
  if (welcome.suite !== by.id || keyPackage.suite !== by.id) throw new MlsError('unsupported', 'Welcome or key package of another suite')
  if (!equal(keyPackage.leaf.signatureKey, identity.signature.publicKey)) throw new MlsError('usage', 'key package of another identity')
  const secret = decode(secretCodec, request.keyPackage.secret)
  const leafKey = await by.hpke.kem.publicKeyOf(secret.encryptionKey)
  if (!equal(leafKey, keyPackage.leaf.encryptionKey)) throw new MlsError('usage', 'secret of another key package')
  return openWelcome({
    welcome,
    keyPackage,
    initPair: { publicKey: keyPackage.initKey, secretKey: secret.initKey },
    leafPair: { publicKey: keyPackage.leaf.encryptionKey, secretKey: secret.encryptionKey },
    identity,
    policy: { authenticate: guardedAuthenticate(request.authenticate), maxLifetime: use.maxLifetime },
    findPsk: use.findPsk,
    ...(request.ratchetTree ? { tree: request.ratchetTree } : {}),
  })
}

const signerOf = (tree: RatchetTree, info: GroupInfo): Member => {
  const leaf = tree.leaf(info.signer)
  if (!leaf) throw new MlsError('invalid', 'signer is blank')
  return memberOf(info.signer, leaf)
}

/** Joins by a commit of its own (RFC 9420 section 12.4.3.2), into groups of the profile. */
export const joinByCommit = async (
  by: CipherSuite,
  request: ExternalJoinRequest,
  settings: { maxLifetime: bigint; treeInWelcome: boolean },
): Promise<ExternalJoin> => {
  const { state, commit, found } = await enterByCommit(by, request, {
    ...settings,
    accepts: expectContextExtensions,
    psks: [],
    findPsk: noPsk,
  })
  return {
    next: groupOf(state),
    commit,
    groupInfo: await groupInfoOf(state, { note: request.note ?? found, withTree: settings.treeInWelcome }),
    note: found.slice(),
    persist: snapshotOf(state),
  }
}

/** What an external commit can be made with beside what every group needs. */
export interface EntrySettings {
  readonly maxLifetime: bigint
  /** Throws for group context extensions that the group must not have. */
  readonly accepts?: (extensions: readonly Extension[]) => void
  readonly style?: LeafStyle
  readonly psks: readonly Proposal[]
  readonly findPsk: FindPsk
}

/** An external commit into any group, and the state that it leads to. */
export const enterByCommit = async (
  by: CipherSuite,
  request: ExternalJoinRequest,
  settings: EntrySettings,
): Promise<{ readonly state: GroupState; readonly commit: Bytes; readonly found: Bytes }> => {
  const { authenticatedData = NONE, replaces } = request
  expectAtMost('authenticatedData', authenticatedData)
  const info = readInfo(by, request.groupInfo)
  const identity = ownCopy(request.identity)
  const policy = { authenticate: guardedAuthenticate(request.authenticate), maxLifetime: settings.maxLifetime }
  const group = await readGroupInfo(info, exceptReplaced(by, { policy, info, request }), request.ratchetTree)
  settings.accepts?.(group.context.extensions)
  const externalPub = externalPubOf(info.extensions)
  if (!externalPub) throw new MlsError('unsupported', 'GroupInfo without external_pub')
  if (replaces !== undefined && !group.tree.leaf(replaces)) throw new MlsError('usage', `leaf ${replaces} to replace is blank`)
  by.hpke.kem.check(externalPub)
  const { kemOutput, init } = await sendExternalInit(by, externalPub)
  const removal: Proposal[] = replaces === undefined ? [] : [{ kind: 'remove', removed: replaces }]
  const made = await makeCommit({
    group,
    identity,
    leaf: leafOf(by, identity, settings.style),
    member: undefined,
    keys: new Map(),
    init,
    inline: [...removal, ...settings.psks, { kind: 'external_init', kemOutput }],
    references: [],
    authenticatedData: authenticatedData.slice(),
    forcePath: true,
    policy,
    findPsk: settings.findPsk,
    purpose: 'regular',
    wireFormat: 'public',
  })
  const { secrets, encryption } = secretsOfEpoch(by, made.epochSecret)
  const secretTree = freshSecretTree(encryption, made.start.tree)
  const state: GroupState = { suite: by, identity, ownLeaf: made.committer, keys: made.keys, secrets, secretTree, ...FRESH, ...made.start }
  return { state, commit: made.message, found: noteOf(info.extensions) }
}

/** The application need not vouch for a leaf that this very commit removes. */
const exceptReplaced = (
  by: CipherSuite,
  { policy, info, request }: { policy: LeafPolicy; info: GroupInfo; request: ExternalJoinRequest },
): LeafPolicy => {
  const { replaces, ratchetTree } = request
  if (replaces === undefined) return policy
  const old: LeafNode | undefined = treeOf(by, info, ratchetTree).leaf(replaces)
  const authenticate: AuthenticateLeaf = async (leaf) =>
    (old !== undefined && equal(leaf.signatureKey, old.signatureKey)) || policy.authenticate(leaf)
  return { ...policy, authenticate }
}

const readInfo = (by: CipherSuite, encoded: Bytes): GroupInfo => {
  expectAtMost('message', encoded)
  const { groupInfo } = readMessage(encoded, 'group_info')
  if (groupInfo.context.suite !== by.id) throw new MlsError('unsupported', 'GroupInfo of another suite')
  return groupInfo
}

/** Who a GroupInfo says is in the group; its credentials are for the caller to judge. */
export const inspectInfo = async (by: CipherSuite, encoded: Bytes, treeApart?: Bytes) => {
  const info = readInfo(by, encoded)
  const { tree, context } = await readGroupInfo(info, { authenticate: () => Promise.resolve(true), maxLifetime: 0n }, treeApart)
  expectContextExtensions(context.extensions)
  return {
    groupId: context.groupId,
    epoch: context.epoch,
    signer: signerOf(tree, info),
    members: membersOf(tree),
    policy: policyOf(context.extensions).slice(),
    note: noteOf(info.extensions).slice(),
  }
}
