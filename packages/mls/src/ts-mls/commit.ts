/** Commits of this device (RFC 9420 section 12.4.1) with their Welcome and GroupInfo, and the proposals it makes. */
import { bytesToBase64, createProposal, emptyPskIndex } from 'ts-mls'
import type { ClientState, KeyPackage, Proposal, ProposalOrRef } from 'ts-mls'
import { addHistoricalReceiverData, applyProposals } from 'ts-mls/clientState.js'
import { createGroupInfo } from 'ts-mls/createCommit.js'
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js'
import { protectPublicMessage } from 'ts-mls/messageProtectionPublic.js'
import { mergePrivateKeyPaths } from 'ts-mls/privateKeyPath.js'
import { toLeafIndex } from 'ts-mls/treemath.js'
import { firstCommonAncestor } from 'ts-mls/updatePath.js'
import { encryptGroupInfo, encryptGroupSecrets } from 'ts-mls/welcome.js'
import { MlsError } from '../errors.ts'
import type { Bytes, CommitRequest, Group, Member, OutgoingWelcome, PendingCommit, Persist } from '../port.ts'
import { outcomeOf, resolveProposals } from './changes.ts'
import type { Outcome } from './changes.ts'
import { renewPath, stepEpoch } from './epoch.ts'
import type { FreshPath, Stepped } from './epoch.ts'
import { activeStateOf, configFor, groupOf, memberAt, policyExtension, publishGroupInfo, settled, treeAndNote } from './group.ts'
import { expectCurrent, expectKeyPackage } from './key-package.ts'
import { expectAuthentic } from './leaf.ts'
import { proposalDelta, snapshotOf } from './persist.ts'
import { LIMITS } from './suite.ts'
import type { Suite } from './suite.ts'
import { expectDistinctKeys } from './tree.ts'
import { decodePublishedKeyPackage, encodeMessage, sameBytes } from './wire.ts'

/** Makes a commit and the group after it. The group before stays valid until the commit is accepted. */
export const makeCommit = async (suite: Suite, group: Group, request: CommitRequest): Promise<PendingCommit> => {
  const { cs } = suite
  const state = activeStateOf(suite, group)
  const { note = new Uint8Array(), authenticatedData = new Uint8Array() } = request
  if (note.length > LIMITS.note || authenticatedData.length > LIMITS.authenticatedData)
    throw new MlsError('too_large', 'note or authenticated data')
  const proposals = await gather(suite, group, request)
  const outcome = outcomeOf(group, resolveProposals(group, state, { proposals, by: self(group) }), self(group))
  const extensions = outcome.policy === undefined ? state.groupContext.extensions : policyExtension(outcome.policy)
  const applied = await apply(suite, state, { proposals, outcome, extensions })
  const stepped = await stepEpoch(cs, {
    context: state.groupContext,
    extensions,
    confirmationTag: state.confirmationTag,
    initSecret: state.keySchedule.initSecret,
    commitSecret: applied.path?.commitSecret ?? new Uint8Array(cs.kdf.size),
    tree: applied.path?.tree ?? applied.tree,
    proposals,
    path: applied.path?.update,
    sender: { senderType: 'member', leafIndex: group.ownLeafIndex },
    authenticatedData,
    signKey: state.signaturePrivateKey,
  })
  const next = settled({
    ...state,
    ...stepped.next,
    privatePath: applied.path === undefined ? state.privatePath : mergePrivateKeyPaths(state.privatePath, applied.path.privateKeys),
    unappliedProposals: {},
    historicalReceiverData: addHistoricalReceiverData(state)[0],
  })
  expectDistinctKeys(next.ratchetTree)
  const publicMessage = await protectPublicMessage(state.keySchedule.membershipKey, state.groupContext, stepped.content, cs)
  return {
    next: groupOf(next),
    commit: encodeMessage({ wireformat: 'mls_public_message', publicMessage }),
    welcomes: await welcome({ suite, next, stepped, path: applied.path, outcome, note }),
    groupInfo: await publishGroupInfo(suite, next, note),
    changes: outcome.changes,
    persist: snapshotOf(suite, next),
  }
}

const self = (group: Group): Member => {
  const member = memberAt(group, group.ownLeafIndex)
  if (member === undefined) throw new MlsError('usage', 'own leaf is empty')
  return member
}

/** The proposals of a request: waiting ones by reference, then removals, additions and policy inline. */
const gather = async (suite: Suite, group: Group, request: CommitRequest): Promise<ProposalOrRef[]> => {
  const { add = [], remove = [], policy } = request
  for (const leafIndex of remove) {
    if (leafIndex === group.ownLeafIndex || memberAt(group, leafIndex) === undefined) throw new MlsError('usage', 'cannot remove that leaf')
  }
  if (new Set(remove).size !== remove.length) throw new MlsError('usage', 'removes a leaf twice')
  const inline: Proposal[] = remove.map((removed) => ({ proposalType: 'remove', remove: { removed } }))
  for (const bytes of add) {
    const keyPackage = decodePublishedKeyPackage(bytes)
    await expectKeyPackage(suite, keyPackage)
    if (request.now !== undefined) expectCurrent(keyPackage, request.now)
    await expectAuthentic(keyPackage.leafNode, request.authenticate)
    inline.push({ proposalType: 'add', add: { keyPackage } })
  }
  if (policy !== undefined)
    inline.push({ proposalType: 'group_context_extensions', groupContextExtensions: { extensions: policyExtension(policy) } })
  const references = waiting(group, request).map((reference) => ({ proposalOrRefType: 'reference' as const, reference }))
  return [...references, ...inline.map((proposal) => ({ proposalOrRefType: 'proposal' as const, proposal }))]
}

/** The waiting proposals to commit: those asked for, else all that can stand beside the rest of the request. */
const waiting = (group: Group, { byReference, remove = [] }: CommitRequest): Bytes[] => {
  const asked = byReference?.map((ref) => {
    const known = group.pendingProposals.find((pending) => sameBytes(pending.ref, ref))
    if (known === undefined) throw new MlsError('usage', 'unknown proposal')
    return known
  })
  const taken = new Set<number>(remove)
  return (asked ?? group.pendingProposals).flatMap(({ ref, removes }) => {
    if (removes === undefined || removes === group.ownLeafIndex || taken.has(removes)) return []
    taken.add(removes)
    return [ref]
  })
}

/** The tree after the proposals, and the fresh path where one is due. */
const apply = async (
  suite: Suite,
  state: ClientState,
  change: {
    readonly proposals: readonly ProposalOrRef[]
    readonly outcome: Outcome
    readonly extensions: ClientState['groupContext']['extensions']
  },
): Promise<{ readonly tree: ClientState['ratchetTree']; readonly path?: FreshPath }> => {
  const { proposals, outcome, extensions } = change
  const leafIndex = state.privatePath.leafIndex
  const clientConfig = configFor(outcome.added.map((keyPackage) => keyPackage.leafNode.credential))
  const { tree } = await applyProposals({ ...state, clientConfig }, [...proposals], toLeafIndex(leafIndex), emptyPskIndex, false, suite.cs)
  if (!outcome.needsPath) return { tree }
  const context = { ...state.groupContext, extensions }
  const path = await renewPath(suite.cs, { tree, leafIndex, context, signKey: state.signaturePrivateKey, newcomers: newLeaves(outcome) })
  return { tree, path }
}

const newLeaves = ({ changes }: Outcome): number[] =>
  changes.flatMap((change) => (change.kind === 'added' ? [change.member.leafIndex] : []))

interface WelcomeParts {
  readonly suite: Suite
  readonly next: ClientState
  readonly stepped: Stepped
  readonly path: FreshPath | undefined
  readonly outcome: Outcome
  readonly note: Bytes
}

/** One Welcome for all joiners: it carries the tree, which is most of it, and so is worth sharing. */
const welcome = async ({ suite, next, stepped, path, outcome, note }: WelcomeParts): Promise<readonly OutgoingWelcome[]> => {
  const { cs } = suite
  if (outcome.added.length === 0) return []
  const groupInfo = await createGroupInfo(next.groupContext, next.confirmationTag, next, treeAndNote(next.ratchetTree, note), cs)
  const encryptedGroupInfo = await encryptGroupInfo(groupInfo, stepped.secrets.welcomeSecret, cs)
  const leaves = newLeaves(outcome)
  const secrets = await Promise.all(
    outcome.added.map(async (keyPackage: KeyPackage, at) => {
      const pathSecret = path === undefined ? undefined : secretFor(path, { leafIndex: leaves[at] ?? 0, own: next.privatePath.leafIndex })
      const initKey = await cs.hpke.importPublicKey(keyPackage.initKey)
      const { joinerSecret } = stepped.secrets
      const { enc: kemOutput, ct: ciphertext } = await encryptGroupSecrets(
        initKey,
        encryptedGroupInfo,
        { joinerSecret, pathSecret, psks: [] },
        cs.hpke,
      )
      return { newMember: await makeKeyPackageRef(keyPackage, cs.hash), encryptedGroupSecrets: { kemOutput, ciphertext } }
    }),
  )
  const bytes = encodeMessage({ wireformat: 'mls_welcome', welcome: { cipherSuite: cs.name, secrets, encryptedGroupInfo } })
  return [{ refs: secrets.map(({ newMember }) => newMember), bytes }]
}

const secretFor = (
  { tree, secrets }: FreshPath,
  { leafIndex, own }: { readonly leafIndex: number; readonly own: number },
): Bytes | undefined => {
  const ancestor = firstCommonAncestor(tree, toLeafIndex(leafIndex), toLeafIndex(own))
  return secrets.find(({ nodeIndex }) => nodeIndex === ancestor)?.secret
}

/** A Remove proposal (RFC 9420 section 12.1.3), kept by this device too until a commit settles it. */
export const makeRemoveProposal = async (
  suite: Suite,
  group: Group,
  request: { readonly leafIndex: number; readonly authenticatedData?: Bytes | undefined },
): Promise<{ readonly group: Group; readonly proposal: Bytes; readonly persist: Persist }> => {
  const state = activeStateOf(suite, group)
  const { leafIndex, authenticatedData = new Uint8Array() } = request
  if (memberAt(group, leafIndex) === undefined) throw new MlsError('usage', 'no such member')
  if (authenticatedData.length > LIMITS.authenticatedData) throw new MlsError('too_large', 'authenticated data')
  const proposal: Proposal = { proposalType: 'remove', remove: { removed: leafIndex } }
  const { newState, message } = await createProposal(state, true, proposal, suite.cs, new Uint8Array(authenticatedData))
  if (message.wireformat !== 'mls_public_message') throw new MlsError('invalid', 'proposal framing')
  const ref = Object.keys(newState.unappliedProposals).find((key) => !(key in state.unappliedProposals))
  return {
    group: groupOf(newState),
    proposal: encodeMessage(message),
    persist: proposalDelta(newState, ref ?? bytesToBase64(new Uint8Array())),
  }
}
