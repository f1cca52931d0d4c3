/**
 * The handle that callers hold and the `ts-mls` state behind it. A handle is a frozen view; the state is reachable through
 * this module's weak map alone, so no secret can be logged or serialized by accident.
 */
import type { ClientConfig, ClientState, Credential, GroupContext, GroupInfo, PrivateKeyPath, SecretTree } from 'ts-mls'
import { createGroup } from 'ts-mls'
import { createGroupInfo } from 'ts-mls/createCommit.js'
import { leafToNodeIndex, toLeafIndex } from 'ts-mls/treemath.js'
import { base64ToBytes } from 'ts-mls/util/byteArray.js'
import { defaultKeyPackageEqualityConfig } from 'ts-mls'
import { MlsError } from '../errors.ts'
import type { Bytes, Group, LeafIdentity, Member, PendingProposal } from '../port.ts'
import { bytes as opaqueCodec, decode, encode } from '../public/codec.ts'
import { makeKeyPackage } from './key-package.ts'
import { memberOf } from './leaf.ts'
import { LIMITS, NOTE_EXTENSION, POLICY_EXTENSION } from './suite.ts'
import type { Suite } from './suite.ts'
import { leavesOf, prunePrivateKeys } from './tree.ts'
import { encodeMessage, encodeTree } from './wire.ts'

const states = new WeakMap<Group, ClientState>()
const rosters = new WeakMap<ClientState['ratchetTree'], readonly Member[]>()

/** How far a receiver follows a sender's gap: messages that were sealed and given up leave one. */
export const MAX_FORWARD_STEPS = 64

/**
 * Nothing is kept of skipped generations: `ts-mls` would keep the ratchet secret instead of key and nonce. Past epochs must
 * never be 0, which it reads as "all of them".
 */
export const RETENTION = { retainKeysForGenerations: 0, retainKeysForEpochs: 1, maximumForwardRatchetSteps: MAX_FORWARD_STEPS }

/** A configuration under which `ts-mls` accepts the given credentials, compared by identity, and no others. */
export const configFor = (approved: readonly Credential[] = []): ClientConfig => ({
  keyRetentionConfig: RETENTION,
  // Lifetimes are judged by us against the caller's clock; ts-mls would read its own.
  lifetimeConfig: { maximumTotalLifetime: LIMITS.lifetime, validateLifetimeOnReceive: false },
  keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
  paddingConfig: { kind: 'alwaysPad', paddingLength: 0 },
  authService: { validateCredential: (credential) => Promise.resolve(approved.includes(credential)) },
})

/** Makes the handle for a state. */
export const groupOf = (state: ClientState): Group => {
  const members = rosterOf(state.ratchetTree)
  const group: Group = Object.freeze({
    groupId: state.groupContext.groupId,
    epoch: state.groupContext.epoch,
    ownLeafIndex: state.privatePath.leafIndex,
    active: state.groupActiveState.kind === 'active',
    members,
    policy: policyOf(state.groupContext),
    epochAuthenticator: state.keySchedule.epochAuthenticator,
    pendingProposals: Object.freeze(pendingOf(state, members)),
  })
  states.set(group, state)
  return group
}

const rosterOf = (tree: ClientState['ratchetTree']): readonly Member[] => {
  const known = rosters.get(tree)
  if (known !== undefined) return known
  const members = Object.freeze(leavesOf(tree).map(({ leafIndex, leaf }) => memberOf(leafIndex, leaf)))
  rosters.set(tree, members)
  return members
}

const pendingOf = (state: ClientState, members: readonly Member[]): PendingProposal[] =>
  Object.entries(state.unappliedProposals).flatMap(([ref, { proposal, senderLeafIndex }]) => {
    const by = members.find(({ leafIndex }) => leafIndex === senderLeafIndex)
    if (by === undefined) return []
    return [{ ref: base64ToBytes(ref), by, ...(proposal.proposalType === 'remove' ? { removes: proposal.remove.removed } : {}) }]
  })

/** The state behind a handle; `usage` when the handle is not of this engine. */
export const stateOf = (suite: Suite, group: Group): ClientState => {
  const state = states.get(group)
  if (state === undefined || state.groupContext.cipherSuite !== suite.cs.name) throw new MlsError('usage', 'not a group of this engine')
  return state
}

/** As `stateOf`, and `usage` once the own leaf was removed. */
export const activeStateOf = (suite: Suite, group: Group): ClientState => {
  const state = stateOf(suite, group)
  if (state.groupActiveState.kind !== 'active') throw new MlsError('usage', 'this device was removed from the group')
  return state
}

export const memberAt = (group: Group, leafIndex: number): Member | undefined =>
  group.members.find((member) => member.leafIndex === leafIndex)

/** The policy bytes of a group context that passed `expectContext`. */
export const policyOf = ({ extensions }: GroupContext): Bytes =>
  extensions.find(({ extensionType }) => extensionType === POLICY_EXTENSION)?.extensionData ?? new Uint8Array()

/** The one extension that a group context of this engine has. */
export const policyExtension = (policy: Bytes): GroupContext['extensions'] => {
  if (policy.length > LIMITS.policy) throw new MlsError('too_large', 'policy')
  return [{ extensionType: POLICY_EXTENSION, extensionData: new Uint8Array(policy) }]
}

/** Throws unless the extensions of a group context are the policy and nothing else. */
export const expectPolicyOnly = (extensions: GroupContext['extensions']): Bytes => {
  const [policy, ...others] = extensions
  if (policy?.extensionType !== POLICY_EXTENSION || others.length > 0) throw new MlsError('unsupported', 'group context extensions')
  if (policy.extensionData.length > LIMITS.policy) throw new MlsError('too_large', 'policy')
  return policy.extensionData
}

/** Drops what the next epoch must not hold: dead private keys, ratchets that never turn, most of the epoch before. */
export const settled = (state: ClientState): ClientState => ({
  ...state,
  privatePath: prunePrivateKeys(state.ratchetTree, state.privatePath),
  secretTree: applicationRatchets(state.secretTree, state.ratchetTree),
  historicalReceiverData: new Map(
    [...state.historicalReceiverData].map(([epoch, past]) => {
      // Only signature keys and credentials of the old leaves are ever read again.
      const leaves = past.ratchetTree.map((node) =>
        node?.nodeType === 'leaf' ? { ...node, leaf: { ...node.leaf, hpkePublicKey: new Uint8Array() } } : undefined,
      )
      return [epoch, { ...past, resumptionPsk: new Uint8Array(), ratchetTree: leaves }]
    }),
  ),
  clientConfig: configFor(),
})

const SPENT = { secret: new Uint8Array(), generation: 0, unusedGenerations: {} }

/** Handshakes are never encrypted and only occupied leaves send, so all other ratchets are dead weight and a liability. */
const applicationRatchets = (secrets: SecretTree, tree: ClientState['ratchetTree']): SecretTree =>
  secrets.map(({ application }, index) => ({ handshake: SPENT, application: tree[index]?.nodeType === 'leaf' ? application : SPENT }))

/** What is left after a commit removed this device: the roster, and no secrets. */
export const expelled = (state: ClientState, tree: ClientState['ratchetTree']): ClientState => ({
  ...state,
  ratchetTree: tree,
  keySchedule: { ...emptyKeySchedule(), epochAuthenticator: state.keySchedule.epochAuthenticator },
  secretTree: [],
  privatePath: { leafIndex: state.privatePath.leafIndex, privateKeys: {} },
  unappliedProposals: {},
  historicalReceiverData: new Map(),
  groupActiveState: { kind: 'removedFromGroup' },
  clientConfig: configFor(),
})

const emptyKeySchedule = (): ClientState['keySchedule'] => {
  const empty = new Uint8Array()
  return {
    senderDataSecret: empty,
    exporterSecret: empty,
    externalSecret: empty,
    confirmationKey: empty,
    membershipKey: empty,
    resumptionPsk: empty,
    epochAuthenticator: empty,
    initSecret: empty,
  }
}

/** The own leaf's private keys at the moment of joining. */
export const ownPath = (leafIndex: number, encryptionKey: Bytes): PrivateKeyPath => ({
  leafIndex,
  privateKeys: { [leafToNodeIndex(toLeafIndex(leafIndex))]: encryptionKey },
})

/** A new group with one member, at epoch 0 (RFC 9420 section 11). */
export const foundGroup = async (
  suite: Suite,
  request: { readonly groupId: Bytes; readonly identity: LeafIdentity; readonly policy: Bytes },
): Promise<ClientState> => {
  const { groupId, identity, policy } = request
  if (groupId.length === 0 || groupId.length > LIMITS.groupId) throw new MlsError('usage', 'group id length')
  const { keyPackage, secrets } = await makeKeyPackage(suite, { identity, ...ALWAYS, lastResort: false })
  const config = configFor([keyPackage.leafNode.credential])
  const state = await createGroup(new Uint8Array(groupId), keyPackage, secrets, policyExtension(policy), suite.cs, config)
  return settled(state)
}

/** A founder's or external joiner's key package is never published, so its lifetime limits nothing. */
export const ALWAYS = { notBefore: 0n, notAfter: 2n ** 64n - 1n } as const

/** The extensions of a GroupInfo that carries the tree, and the note when there is one. */
export const treeAndNote = (tree: ClientState['ratchetTree'], note: Bytes): GroupInfo['extensions'] => [
  { extensionType: 'ratchet_tree', extensionData: encodeTree(tree) },
  ...(note.length === 0 ? [] : [{ extensionType: NOTE_EXTENSION, extensionData: new Uint8Array(note) }]),
]

/** An encoded GroupInfo by which own new devices can join (RFC 9420 sections 12.4.3 and 12.4.3.2). */
export const publishGroupInfo = async (suite: Suite, state: ClientState, note: Bytes = new Uint8Array()): Promise<Bytes> => {
  const { cs } = suite
  const { publicKey } = await cs.hpke.deriveKeyPair(state.keySchedule.externalSecret)
  // ts-mls writes the bare key; the extension is defined as an HPKEPublicKey, which has a length prefix.
  const externalPub = encode(opaqueCodec, await cs.hpke.exportPublicKey(publicKey))
  const extensions = [...treeAndNote(state.ratchetTree, note), { extensionType: 'external_pub' as const, extensionData: externalPub }]
  const groupInfo = await createGroupInfo(state.groupContext, state.confirmationTag, state, extensions, cs)
  return encodeMessage({ wireformat: 'mls_group_info', groupInfo })
}

/** The inverse of how `publishGroupInfo` writes external_pub. */
export const readExternalPub = (extensionData: Bytes): Bytes => decode(opaqueCodec, extensionData)
