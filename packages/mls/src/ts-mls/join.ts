/** Ways into a group that exists: by Welcome (RFC 9420 section 12.4.3.1) and by external commit (section 12.4.3.2). */
import type { ClientState, GroupInfo, KeyPackage, LeafNode, Proposal, RatchetTree } from 'ts-mls'
import { exportSecret } from 'ts-mls/clientState.js'
import { encodeLeafNode } from 'ts-mls/leafNode.js'
import { extensionTypeToNumber } from 'ts-mls/extension.js'
import { extractWelcomeSecret, verifyGroupInfoConfirmationTag, verifyGroupInfoSignature } from 'ts-mls/groupInfo.js'
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js'
import { deriveKeySchedule } from 'ts-mls/keySchedule.js'
import { protectPublicMessage } from 'ts-mls/messageProtectionPublic.js'
import { pathToRoot } from 'ts-mls/pathSecrets.js'
import { mergePrivateKeyPaths, toPrivateKeyPath } from 'ts-mls/privateKeyPath.js'
import { addLeafNode, removeLeafNode } from 'ts-mls/ratchetTree.js'
import { createSecretTree } from 'ts-mls/secretTree.js'
import { leafWidth, nodeToLeafIndex, toLeafIndex } from 'ts-mls/treemath.js'
import { firstCommonAncestor } from 'ts-mls/updatePath.js'
import { decryptGroupSecrets, welcomeKey, welcomeNonce } from 'ts-mls/welcome.js'
import type { Welcome } from 'ts-mls'
import { MlsError } from '../errors.ts'
import type { AuthenticateLeaf, Bytes, ExternalJoin, ExternalJoinRequest, Joined, KeyPackagePair, LeafIdentity, Member } from '../port.ts'
import { renewPath, stepEpoch } from './epoch.ts'
import { ALWAYS, configFor, expectPolicyOnly, groupOf, ownPath, publishGroupInfo, readExternalPub, settled } from './group.ts'
import { expectKeyPackage, makeKeyPackage, readSecrets } from './key-package.ts'
import { expectAuthentic, expectLeaf, memberOf } from './leaf.ts'
import { snapshotOf } from './persist.ts'
import { LIMITS, NOTE_EXTENSION } from './suite.ts'
import type { Suite } from './suite.ts'
import { expectDistinctKeys, expectMatchingKeys, expectTree, leafAt, leavesOf } from './tree.ts'
import {
  decodeBareGroupInfo,
  decodeGroupInfoMessage,
  decodePublishedKeyPackage,
  decodeTree,
  decodeWelcomeMessage,
  encodeMessage,
  sameBytes,
} from './wire.ts'

/** A GroupInfo whose signature and tree hold; whether its members are who they say is still open. */
interface VerifiedInfo {
  readonly groupInfo: GroupInfo
  readonly tree: RatchetTree
  readonly signer: LeafNode
  readonly policy: Bytes
  readonly note: Bytes
  readonly externalPub: Bytes | undefined
}

/** Joins with the key package that a Welcome was made for. */
export const joinByWelcome = async (
  suite: Suite,
  request: {
    readonly welcome: Bytes
    readonly ratchetTree?: Bytes
    readonly keyPackage: KeyPackagePair
    readonly identity: LeafIdentity
    readonly authenticate: AuthenticateLeaf
  },
): Promise<Joined> => {
  const { cs } = suite
  const welcome = decodeWelcomeMessage(request.welcome)
  if (welcome.cipherSuite !== cs.name) throw new MlsError('unsupported', 'ciphersuite')
  const { keyPackage, secrets } = await ownKeyPackage(suite, request.keyPackage, request.identity)
  const { joinerSecret, pathSecret } = await openSecrets(suite, { welcome, keyPackage, initKey: secrets.initPrivateKey })
  const info = await openGroupInfo(suite, { welcome, joinerSecret, treeApart: request.ratchetTree })
  for (const { leaf } of leavesOf(info.tree)) await expectAuthentic(leaf, request.authenticate)
  const leafIndex = findLeaf(info.tree, keyPackage.leafNode)
  const path = ownPath(leafIndex, secrets.hpkePrivateKey)
  const privatePath = pathSecret === undefined ? path : mergePrivateKeyPaths(await pathFrom(suite, info, { leafIndex, pathSecret }), path)
  await expectMatchingKeys(suite, info.tree, privatePath)
  const noPsk = new Uint8Array(cs.kdf.size)
  const [keySchedule, encryptionSecret] = await deriveKeySchedule(joinerSecret, noPsk, info.groupInfo.groupContext, cs.kdf)
  if (!(await verifyGroupInfoConfirmationTag(info.groupInfo, joinerSecret, noPsk, cs)))
    throw new MlsError('auth_failed', 'confirmation tag')
  const state = settled({
    ...freshState(info, secrets.signaturePrivateKey),
    privatePath,
    keySchedule,
    secretTree: await createSecretTree(leafWidth(info.tree.length), encryptionSecret, cs.kdf),
  })
  return { group: groupOf(state), signer: memberOf(info.groupInfo.signer, info.signer), note: info.note, persist: snapshotOf(suite, state) }
}

const freshState = (info: VerifiedInfo, signaturePrivateKey: Bytes): Omit<ClientState, 'privatePath' | 'keySchedule' | 'secretTree'> => ({
  groupContext: info.groupInfo.groupContext,
  ratchetTree: info.tree,
  signaturePrivateKey,
  confirmationTag: info.groupInfo.confirmationTag,
  unappliedProposals: {},
  historicalReceiverData: new Map(),
  groupActiveState: { kind: 'active' },
  clientConfig: configFor(),
})

const ownKeyPackage = async (suite: Suite, pair: KeyPackagePair, identity: LeafIdentity) => {
  const keyPackage = decodePublishedKeyPackage(pair.keyPackage)
  await expectKeyPackage(suite, keyPackage)
  if (!sameBytes(keyPackage.leafNode.signaturePublicKey, identity.signature.publicKey))
    throw new MlsError('usage', 'key package of another identity')
  return { keyPackage, secrets: readSecrets(pair.secret, identity) }
}

const openSecrets = async (
  { cs }: Suite,
  { welcome, keyPackage, initKey }: { readonly welcome: Welcome; readonly keyPackage: KeyPackage; readonly initKey: Bytes },
): Promise<{ readonly joinerSecret: Bytes; readonly pathSecret: Bytes | undefined }> => {
  const ref = await makeKeyPackageRef(keyPackage, cs.hash)
  if (!welcome.secrets.some(({ newMember }) => sameBytes(newMember, ref)))
    throw new MlsError('usage', 'the Welcome is for another key package')
  const secrets = await decryptGroupSecrets(await cs.hpke.importPrivateKey(initKey), ref, welcome, cs.hpke)
  if (secrets === undefined) throw new MlsError('malformed', 'group secrets')
  if (secrets.psks.length > 0) throw new MlsError('unsupported', 'pre-shared keys')
  return secrets
}

const openGroupInfo = async (
  suite: Suite,
  { welcome, joinerSecret, treeApart }: { readonly welcome: Welcome; readonly joinerSecret: Bytes; readonly treeApart: Bytes | undefined },
): Promise<VerifiedInfo> => {
  const { cs } = suite
  const welcomeSecret = await extractWelcomeSecret(joinerSecret, new Uint8Array(cs.kdf.size), cs.kdf)
  const key = await welcomeKey(welcomeSecret, cs)
  const plain = await cs.hpke.decryptAead(key, await welcomeNonce(welcomeSecret, cs), undefined, welcome.encryptedGroupInfo)
  const info = await verifyInfo(suite, decodeBareGroupInfo(plain), treeApart)
  if (info.groupInfo.groupContext.epoch === 0n) throw new MlsError('invalid', 'nobody is welcomed into epoch 0')
  return info
}

const findLeaf = (tree: RatchetTree, leaf: LeafNode): number => {
  const encoded = encodeLeafNode(leaf)
  const found = leavesOf(tree).find((candidate) => sameBytes(encodeLeafNode(candidate.leaf), encoded))
  if (found === undefined) throw new MlsError('invalid', 'own leaf is not in the tree')
  return found.leafIndex
}

const pathFrom = async (
  suite: Suite,
  { tree, groupInfo }: VerifiedInfo,
  own: { readonly leafIndex: number; readonly pathSecret: Bytes },
) => {
  const ancestor = firstCommonAncestor(tree, toLeafIndex(own.leafIndex), toLeafIndex(groupInfo.signer))
  return await toPrivateKeyPath(await pathToRoot(tree, ancestor, own.pathSecret, suite.cs.kdf), own.leafIndex, suite.cs)
}

/** Decodes and verifies an encoded GroupInfo message. */
export const readGroupInfo = (suite: Suite, bytes: Bytes, treeApart: Bytes | undefined): Promise<VerifiedInfo> =>
  verifyInfo(suite, decodeGroupInfoMessage(bytes), treeApart)

const verifyInfo = async (suite: Suite, groupInfo: GroupInfo, treeApart: Bytes | undefined): Promise<VerifiedInfo> => {
  const { groupContext, extensions } = groupInfo
  if (groupContext.cipherSuite !== suite.cs.name) throw new MlsError('unsupported', 'ciphersuite')
  const policy = expectPolicyOnly(groupContext.extensions)
  const carried = new Map(extensions.map(({ extensionType, extensionData }) => [extensionTypeToNumber(extensionType), extensionData]))
  if (carried.size !== extensions.length) throw new MlsError('invalid', 'group info repeats an extension')
  const encodedTree = treeApart ?? carried.get(RATCHET_TREE)
  if (encodedTree === undefined) throw new MlsError('unsupported', 'group info without a tree')
  const note = carried.get(NOTE_EXTENSION) ?? new Uint8Array()
  if (note.length > LIMITS.note) throw new MlsError('too_large', 'note')
  const tree = decodeTree(encodedTree)
  const signer = leafAt(tree, groupInfo.signer)
  if (signer === undefined) throw new MlsError('invalid', 'group info signer')
  expectLeaf(suite, signer)
  if (!(await verifyGroupInfoSignature(groupInfo, signer.signaturePublicKey, suite.cs.signature)))
    throw new MlsError('auth_failed', 'group info signature')
  await expectTree(suite, tree, groupContext)
  const externalPub = carried.get(EXTERNAL_PUB)
  return { groupInfo, tree, signer, policy, note, externalPub: externalPub === undefined ? undefined : readExternalPub(externalPub) }
}

const RATCHET_TREE = 2
const EXTERNAL_PUB = 4

/** Who a GroupInfo says is in the group. */
export const rosterOf = ({ tree }: VerifiedInfo): readonly Member[] =>
  leavesOf(tree).map(({ leafIndex, leaf }) => memberOf(leafIndex, leaf))

/** Joins by a commit of its own, which removes an old leaf of the same device if there is one. */
export const joinByCommit = async (suite: Suite, request: ExternalJoinRequest): Promise<ExternalJoin> => {
  const { cs } = suite
  const { identity, replaces, authenticatedData = new Uint8Array() } = request
  if (authenticatedData.length > LIMITS.authenticatedData) throw new MlsError('too_large', 'authenticated data')
  if (request.note && request.note.length > LIMITS.note) throw new MlsError('too_large', 'note')
  const info = await readGroupInfo(suite, request.groupInfo, request.ratchetTree)
  if (info.externalPub === undefined) throw new MlsError('unsupported', 'group info without external_pub')
  if (replaces !== undefined && leafAt(info.tree, replaces) === undefined) throw new MlsError('usage', 'no leaf to replace')
  for (const { leaf, leafIndex } of leavesOf(info.tree)) if (leafIndex !== replaces) await expectAuthentic(leaf, request.authenticate)
  const { keyPackage } = await makeKeyPackage(suite, { identity, ...ALWAYS, lastResort: false })
  const placed = placeLeaf(info.tree, keyPackage.leafNode, replaces)
  const { groupContext, confirmationTag } = info.groupInfo
  const signKey = new Uint8Array(identity.signature.secretKey)
  const path = await renewPath(cs, { ...placed, context: groupContext, signKey })
  expectDistinctKeys(path.tree)
  const { enc: kemOutput, secret: initSecret } = await exportSecret(info.externalPub, cs)
  const removal: Proposal[] = replaces === undefined ? [] : [{ proposalType: 'remove', remove: { removed: replaces } }]
  const proposals: Proposal[] = [...removal, { proposalType: 'external_init', externalInit: { kemOutput } }]
  const stepped = await stepEpoch(cs, {
    context: groupContext,
    extensions: groupContext.extensions,
    confirmationTag,
    initSecret,
    commitSecret: path.commitSecret,
    tree: path.tree,
    proposals: proposals.map((proposal) => ({ proposalOrRefType: 'proposal', proposal })),
    path: path.update,
    sender: { senderType: 'new_member_commit' },
    authenticatedData,
    signKey,
  })
  const state = settled({ ...freshState(info, signKey), ...stepped.next, privatePath: path.privateKeys })
  const publicMessage = await protectPublicMessage(state.keySchedule.membershipKey, groupContext, stepped.content, cs)
  return {
    next: groupOf(state),
    commit: encodeMessage({ wireformat: 'mls_public_message', publicMessage }),
    groupInfo: await publishGroupInfo(suite, state, request.note ?? info.note),
    note: info.note,
    persist: snapshotOf(suite, state),
  }
}

/** Puts a leaf where an external joiner lands. A group whose only leaf is replaced starts again with that one leaf. */
export const placeLeaf = (
  tree: RatchetTree,
  leaf: LeafNode,
  replaces?: number,
): { readonly tree: RatchetTree; readonly leafIndex: number } => {
  if (replaces !== undefined && leavesOf(tree).length === 1) return { tree: [{ nodeType: 'leaf', leaf }], leafIndex: 0 }
  const [placed, nodeIndex] = addLeafNode(replaces === undefined ? tree : removeLeafNode(tree, toLeafIndex(replaces)), leaf)
  return { tree: placed, leafIndex: nodeToLeafIndex(nodeIndex) }
}
