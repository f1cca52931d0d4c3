/** Making a commit with its Welcome and GroupInfo (RFC 9420 section 12.4.1), by a member or by a newcomer. */
import type { Bytes, LeafIdentity } from '../port.ts'
import { concat, wipe } from '../crypto/bytes.ts'
import { inBatches } from '../crypto/in-batches.ts'
import { encryptionInfo, encryptWithLabel } from '../crypto/suite.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { MlsError } from '../errors.ts'
import { encode } from '../public/codec.ts'
import { confirmedTranscriptHash, interimTranscriptHash, membershipTag, signContent } from '../public/content-auth.ts'
import type { Extension } from '../public/extensions.ts'
import { EXTENSION, externalPubExtension } from '../public/extensions.ts'
import { versionCodec, wireFormatCodec } from '../public/framing.ts'
import type { Sender } from '../public/framing.ts'
import { groupSecretsCodec, signGroupInfo } from '../public/group-info.ts'
import type { EncryptedGroupSecrets, GroupContext } from '../public/group-info.ts'
import { keyPackageRef } from '../public/leaf-node.ts'
import type { UnsignedLeaf } from '../public/leaf-node.ts'
import { validateRoster } from '../public/leaf-validation.ts'
import type { LeafPolicy } from '../public/leaf-validation.ts'
import { mlsMessageCodec } from '../public/message.ts'
import type { AuthenticatedContent } from '../public/message.ts'
import type { Commit, Proposal, ProposalOrRef } from '../public/proposal.ts'
import { applyProposals, validateProposalList } from '../public/proposal-list.ts'
import type { AppliedProposals, LeafChange, Purpose, SentProposal } from '../public/proposal-list.ts'
import { commonAncestor } from '../public/tree-math.ts'
import { RatchetTree } from '../public/tree.ts'
import type { PublicGroup } from '../public/staged-commit.ts'
import {
  epochSecretOf,
  externalPairOf,
  gatherPsks,
  joinerSecretOf,
  memberSecretOf,
  noCommitSecret,
  secretsOfEpoch,
} from './key-schedule.ts'
import type { FindPsk, MemberSecret } from './key-schedule.ts'
import type { EpochStart } from './process-commit.ts'
import { livingKeys, makePath } from './treekem.ts'
import type { MadePath, NodeKeys } from './treekem.ts'

/** A commit as it is wanted, with all that its making needs. */
export interface CommitPlan {
  readonly group: PublicGroup
  readonly identity: LeafIdentity
  /** The committer's leaf as it shall be; its keys are made here. */
  readonly leaf: Omit<UnsignedLeaf, 'encryptionKey' | 'source'>
  /** `member` is undefined when a newcomer joins by this commit. */
  readonly member: number | undefined
  /** Keys of the old epoch; empty for a newcomer. */
  readonly keys: NodeKeys
  readonly init: Bytes
  /** Absent for a newcomer, who cannot compute membership tags. */
  readonly membershipKey?: Bytes
  /** Proposals by value, then references of waiting ones. */
  readonly inline: readonly Proposal[]
  readonly references: readonly (SentProposal & { readonly ref: Bytes })[]
  readonly authenticatedData: Bytes
  /** Make a path even when the proposals need none. */
  readonly forcePath: boolean
  readonly policy: LeafPolicy
  readonly findPsk: FindPsk
  readonly purpose: Purpose
  /** Wraps the signed commit; decides between PublicMessage and PrivateMessage. */
  readonly wireFormat: 'public' | 'private'
}

export interface MadeCommit {
  readonly start: EpochStart
  readonly content: AuthenticatedContent
  /** Encoded MLSMessage when the wire format is public. */
  readonly message: Bytes
  readonly committer: number
  readonly keys: NodeKeys
  readonly epochSecret: Bytes
  readonly changes: readonly LeafChange[]
  readonly welcome: WelcomeSecrets
}

/** What Welcomes are made of. */
export interface WelcomeSecrets {
  readonly joiner: Bytes
  readonly key: MemberSecret['welcome']
  readonly path: MadePath | undefined
  readonly applied: AppliedProposals
}

/** Makes a commit. The group that it starts is `start`; nothing of the old state changes. */
export const makeCommit = async (plan: CommitPlan): Promise<MadeCommit> => {
  const { group, member } = plan
  const by = group.suite
  const sender: Sender = member === undefined ? { kind: 'new_member_commit' } : { kind: 'member', leafIndex: member }
  const list: SentProposal[] = [...plan.inline.map((proposal) => ({ proposal, sender })), ...plan.references]
  await validateProposalList(group, list, { committer: member, purpose: plan.purpose, policy: plan.policy })
  const applied = applyProposals(group, list)
  await applied.tree.hashLeaves()
  const path = applied.pathRequired || plan.forcePath || member === undefined ? await pathOf(plan, applied) : undefined
  validateRoster(applied.tree, applied.extensions, group)
  const committer = path?.committer ?? member ?? 0
  const commit: Commit = { proposals: proposalsOrRefs(plan), path: path?.made.update }
  const framed = {
    groupId: group.context.groupId,
    epoch: group.context.epoch,
    sender,
    authenticatedData: plan.authenticatedData,
    content: { kind: 'commit', commit } as const,
  }
  const unsigned = { wireFormat: plan.wireFormat, framed }
  const signature = await signContent(by, unsigned, { context: group.context, secretKey: plan.identity.signature.secretKey })
  const confirmed = await confirmedTranscriptHash(by, group.interimTranscriptHash, { ...unsigned, auth: { signature } })
  const { start, epochSecret, joiner, key } = await startOf(plan, { applied, path: path?.made, confirmed })
  const content: AuthenticatedContent = { ...unsigned, auth: { signature, confirmationTag: start.confirmationTag } }
  return {
    start,
    content,
    message: await encodePublic(plan, content),
    committer,
    keys: livingKeys(applied.tree, committer, new Map([...plan.keys, ...(path?.made.keys ?? [])])),
    epochSecret,
    changes: path?.changes ?? applied.changes,
    welcome: { joiner, key, path: path?.made, applied },
  }
}

/** The epoch that a commit starts, by the transcript hash that the commit leads to: context, secrets, tag (RFC 9420 sections 8 and 8.2). */
const startOf = async (
  { group, init, findPsk }: CommitPlan,
  { applied, path, confirmed }: { applied: AppliedProposals; path: MadePath | undefined; confirmed: Bytes },
) => {
  const by = group.suite
  const context: GroupContext = { ...nextContext(group, applied, applied.tree.treeHash()), confirmedTranscriptHash: confirmed }
  const joiner = joinerSecretOf(by, { init, commit: path?.commitSecret ?? noCommitSecret(by) }, context)
  const { member, welcome: key } = memberSecretOf(by, joiner, await gatherPsks(by, applied.psks, findPsk))
  const epochSecret = epochSecretOf(by, member, context)
  const confirmationTag = by.hash.hmac(secretsOfEpoch(by, epochSecret).secrets.confirmation, confirmed)
  const interim = interimTranscriptHash(by, confirmed, confirmationTag)
  const { tree, reinit } = applied
  const start: EpochStart = { tree, context, interimTranscriptHash: interim, confirmationTag, reinit }
  return { start, epochSecret, joiner, key }
}

const nextContext = (group: PublicGroup, applied: AppliedProposals, treeHash: Bytes): GroupContext => ({
  ...group.context,
  epoch: group.context.epoch + 1n,
  treeHash,
  extensions: applied.extensions,
})

const pathOf = async (plan: CommitPlan, applied: AppliedProposals) => {
  const { group, member } = plan
  const committer = member ?? applied.tree.claimLeaf()
  const made = await makePath(group.suite, {
    tree: applied.tree,
    committer,
    changes: applied.changes,
    leaf: plan.leaf,
    signatureKey: plan.identity.signature.secretKey,
    groupId: group.context.groupId,
    provisional: (treeHash) => nextContext(group, applied, treeHash),
  })
  const joined: LeafChange = { kind: 'added', leafIndex: committer, leaf: made.update.leaf, proposer: { kind: 'new_member_commit' } }
  return { made, committer, changes: member === undefined ? [...applied.changes, joined] : applied.changes }
}

const proposalsOrRefs = (plan: CommitPlan): ProposalOrRef[] => [
  ...plan.inline.map((proposal) => ({ kind: 'proposal', proposal }) as const),
  ...plan.references.map(({ ref }) => ({ kind: 'reference', ref }) as const),
]

const encodePublic = async (plan: CommitPlan, content: AuthenticatedContent): Promise<Bytes> => {
  if (plan.wireFormat === 'private') return new Uint8Array()
  const { framed, auth } = content
  const { context, suite } = plan.group
  const tag = plan.membershipKey && (await membershipTag(suite, content, { context, membershipKey: plan.membershipKey }))
  return encode(mlsMessageCodec, { kind: 'public', message: { framed, auth, membershipTag: tag } })
}

export interface PublishedInfo {
  readonly by: CipherSuite
  readonly start: Pick<EpochStart, 'tree' | 'context' | 'confirmationTag'>
  readonly signer: number
  readonly secretKey: Bytes
  /** The note and whatever else the application adds. */
  readonly extensions: readonly Extension[]
  readonly withTree: boolean
}

/** A signed GroupInfo of the new epoch, encoded. */
const signInfo = async ({ by, start, signer, secretKey, extensions, withTree }: PublishedInfo) => {
  const tree = withTree ? [{ type: EXTENSION.ratchetTree, data: encode(RatchetTree.codec(by.hash), start.tree) }] : []
  const unsigned = { context: start.context, extensions: [...tree, ...extensions], confirmationTag: start.confirmationTag, signer }
  return signGroupInfo(by, unsigned, secretKey)
}

/** An encoded GroupInfo message by which newcomers can join from outside (section 12.4.3.2). */
export const publishInfo = async (info: PublishedInfo & { readonly external: Bytes }): Promise<Bytes> => {
  const { publicKey } = await externalPairOf(info.by, { external: info.external })
  const groupInfo = await signInfo({ ...info, extensions: [...info.extensions, externalPubExtension(publicKey)] })
  return concat(encode(versionCodec, 'mls10'), encode(wireFormatCodec, 'group_info'), groupInfo)
}

export interface MadeWelcome {
  readonly refs: readonly Bytes[]
  /** Encoded MLSMessage. */
  readonly bytes: Bytes
}

/** One Welcome for everybody a commit added; without a tree inside, a delivery service can give each joiner its own part of it (`splitWelcome`). */
export const makeWelcomes = async (made: MadeCommit, info: PublishedInfo): Promise<MadeWelcome[]> => {
  const { by } = info
  const { joiner, key, path, applied } = made.welcome
  const added = applied.changes.flatMap((change) =>
    change.kind === 'added' && change.keyPackage ? [{ ...change, keyPackage: change.keyPackage }] : [],
  )
  if (added.length === 0) return []
  const encryptedGroupInfo = await by.aead.seal({ ...key, aad: new Uint8Array() }, await signInfo(info))
  const hashed = await encryptionInfo(by, 'Welcome', encryptedGroupInfo)
  const secrets = await inBatches(added, async ({ keyPackage, leafIndex }): Promise<EncryptedGroupSecrets> => {
    const pathSecret = path?.pathSecrets.get(commonAncestor(leafIndex, made.committer))
    if (path && !pathSecret) throw new MlsError('invalid', `no path secret for leaf ${leafIndex}`)
    const plaintext = encode(groupSecretsCodec, { joinerSecret: joiner, pathSecret, psks: applied.psks })
    const encryptedGroupSecrets = await encryptWithLabel(by, { publicKey: keyPackage.initKey, info: hashed }, plaintext)
    wipe(plaintext)
    return { newMember: await keyPackageRef(by, keyPackage), encryptedGroupSecrets }
  })
  const welcome = { suite: by.id, secrets, encryptedGroupInfo }
  return [{ refs: secrets.map(({ newMember }) => newMember), bytes: encode(mlsMessageCodec, { kind: 'welcome', welcome }) }]
}
