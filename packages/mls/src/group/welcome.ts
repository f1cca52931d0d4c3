/** Joining by Welcome (RFC 9420 section 12.4.3.1). */
import type { Bytes, LeafIdentity } from '../port.ts'
import { equal } from '../crypto/bytes.ts'
import type { KeyPair } from '../crypto/kem.ts'
import { decryptWithLabel, encryptionInfo, suiteOf } from '../crypto/suite.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { MlsError } from '../errors.ts'
import { decode, decodeOwned, encode } from '../public/codec.ts'
import { groupInfoCodec, groupSecretsCodec } from '../public/group-info.ts'
import type { GroupInfo, GroupSecrets, Welcome } from '../public/group-info.ts'
import { readGroupInfo } from '../public/joining.ts'
import { keyPackageRef, leafNodeCodec } from '../public/leaf-node.ts'
import type { KeyPackage, LeafNode } from '../public/leaf-node.ts'
import type { LeafPolicy } from '../public/leaf-validation.ts'
import type { PskId } from '../public/proposal.ts'
import type { PublicGroup } from '../public/staged-commit.ts'
import { commonAncestor, directPath, leafToNode } from '../public/tree-math.ts'
import { epochSecretOf, gatherPsks, memberSecretOf, secretsOfEpoch } from './key-schedule.ts'
import type { FindPsk } from './key-schedule.ts'
import { freshSecretTree } from './state.ts'
import type { GroupState } from './state.ts'
import { derivePath } from './treekem.ts'
import type { NodeKeys } from './treekem.ts'

export interface WelcomeToOpen {
  readonly welcome: Welcome
  readonly keyPackage: KeyPackage
  readonly initPair: KeyPair
  readonly leafPair: KeyPair
  readonly identity: LeafIdentity
  readonly policy: LeafPolicy
  readonly findPsk: FindPsk
  /** The ratchet tree when the Welcome does not carry it. */
  readonly tree?: Bytes
}

export interface OpenedWelcome {
  readonly state: GroupState
  readonly info: GroupInfo
  /** The PSKs that the first epoch depends on, for judging re-initialised and branched groups. */
  readonly psks: readonly PskId[]
}

const invalid = (why: string): MlsError => new MlsError('invalid', why)

/** Opens a Welcome and verifies everything that a joiner can. */
export const openWelcome = async (request: WelcomeToOpen): Promise<OpenedWelcome> => {
  const { welcome, keyPackage } = request
  if (welcome.suite !== keyPackage.suite) throw new MlsError('unsupported', 'Welcome of another suite than the key package')
  const by = suiteOf(welcome.suite)
  const secrets = await openSecrets(by, request)
  const psk = await gatherPsks(by, secrets.psks, request.findPsk)
  const scheduled = memberSecretOf(by, secrets.joinerSecret, psk)
  const info = decodeOwned(groupInfoCodec, await by.aead.open({ ...scheduled.welcome, aad: new Uint8Array() }, welcome.encryptedGroupInfo))
  if (info.context.suite !== welcome.suite) throw invalid('GroupInfo of another suite')
  if (info.context.epoch === 0n) throw invalid('Welcome into epoch 0')
  expectLinkedPsks(secrets.psks, info)
  const group = await readGroupInfo(info, request.policy, request.tree)
  const ownLeaf = findLeaf(group, keyPackage.leaf)
  const keys = await keysOf(group, { ownLeaf, signer: info.signer, leafPair: request.leafPair, pathSecret: secrets.pathSecret })
  const made = secretsOfEpoch(by, epochSecretOf(by, scheduled.member, info.context))
  if (!equal(by.hash.hmac(made.secrets.confirmation, info.context.confirmedTranscriptHash), info.confirmationTag)) {
    throw new MlsError('auth_failed', 'confirmation tag')
  }
  const state: GroupState = {
    ...group,
    identity: request.identity,
    ownLeaf,
    keys,
    secrets: made.secrets,
    secretTree: freshSecretTree(made.encryption, group.tree),
    confirmationTag: info.confirmationTag,
    ownUpdates: new Map(),
    past: undefined,
    ended: undefined,
    reinit: undefined,
  }
  return { state, info, psks: secrets.psks }
}

const openSecrets = async (by: CipherSuite, { welcome, keyPackage, initPair }: WelcomeToOpen): Promise<GroupSecrets> => {
  const ref = await keyPackageRef(by, keyPackage)
  const entry = welcome.secrets.find(({ newMember }) => equal(newMember, ref))
  if (!entry) throw invalid('Welcome is not for this key package')
  const info = await encryptionInfo(by, 'Welcome', welcome.encryptedGroupInfo)
  return decode(groupSecretsCodec, await decryptWithLabel(by, { pair: initPair, info }, entry.encryptedGroupSecrets))
}

/** A group that continues another one starts in epoch 1 and depends on that one PSK alone (sections 11.2 and 11.3). */
const expectLinkedPsks = (psks: readonly PskId[], info: GroupInfo): void => {
  const linked = psks.some((psk) => psk.kind === 'resumption' && psk.usage !== 'application')
  if (linked && (psks.length > 1 || info.context.epoch !== 1n)) throw invalid('reinit or branch PSK out of place')
}

const findLeaf = (group: PublicGroup, leaf: LeafNode): number => {
  const wanted = encode(leafNodeCodec, leaf)
  for (const [leafIndex, candidate] of group.tree.leaves()) {
    if (equal(candidate.encryptionKey, leaf.encryptionKey) && equal(encode(leafNodeCodec, candidate), wanted)) return leafIndex
  }
  throw invalid('the own leaf is not in the tree')
}

const keysOf = async (
  { suite, tree }: PublicGroup,
  at: { ownLeaf: number; signer: number; leafPair: KeyPair; pathSecret: Bytes | undefined },
): Promise<NodeKeys> => {
  const own = [leafToNode(at.ownLeaf), at.leafPair] as const
  if (!at.pathSecret) return new Map([own])
  const ancestor = commonAncestor(at.ownLeaf, at.signer)
  // The signer's commit left exactly the nodes of its filtered path non-blank.
  const above = ancestor === tree.root ? [] : directPath(ancestor, tree.leafCount)
  const nodes = [ancestor, ...above].filter((node) => tree.publicKeyOf(node))
  const { keys } = await derivePath(suite, tree, { nodes, secret: at.pathSecret })
  return new Map([own, ...keys])
}
