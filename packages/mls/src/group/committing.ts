/** What goes out: application messages, proposals, commits (the `seal`, `proposeRemove` and `commit` of the port). */
import type { Bytes, CommitRequest, Group, PendingCommit, Persist, Wipe } from '../port.ts'
import { equal } from '../crypto/bytes.ts'
import { MlsError } from '../errors.ts'
import { changesOf, memberOf } from '../public/members.ts'
import { decodeOwned, encode } from '../public/codec.ts'
import { membershipTag, signContent } from '../public/content-auth.ts'
import { credentialBytes } from '../public/credential.ts'
import { keyPackageCodec } from '../public/leaf-node.ts'
import { mlsMessageCodec } from '../public/message.ts'
import type { AuthenticatedContent, Content } from '../public/message.ts'
import { contextExtensions } from '../public/profile.ts'
import type { Proposal } from '../public/proposal.ts'
import type { SentProposal } from '../public/proposal-list.ts'
import { makeCommit, makeWelcomes, publishInfo } from './create-commit.ts'
import { activeStateOf, groupOf } from './handle.ts'
import { guardedAuthenticate } from './opening.ts'
import { snapshotOf } from './persist.ts'
import { sealContent } from './private-message.ts'
import { enterEpoch } from './process-commit.ts'
import { expectAtMost, infoExtensions, leafOf } from './profile.ts'
import { receiveProposal } from './receive.ts'
import { messageDelta, proposalDelta } from './slots.ts'
import { beforeMerging, messageSecretsOf, ownLeafOf } from './state.ts'
import type { GroupState } from './state.ts'

const NONE: Bytes = new Uint8Array()

/** What this member says in its epoch. */
export const framedBy = (state: GroupState, content: Content, authenticatedData: Bytes) => ({
  groupId: state.context.groupId,
  epoch: state.context.epoch,
  sender: { kind: 'member', leafIndex: state.ownLeaf } as const,
  authenticatedData: authenticatedData.slice(),
  content,
})

/** Encrypts a payload. While proposals wait this is `usage`: they must be committed first (RFC 9420 section 12.4). */
export const sealPayload = async (
  group: Group,
  payload: Bytes,
  authenticatedData: Bytes,
): Promise<{ readonly group: Group; readonly sealed: Bytes; readonly persist: Persist; readonly wipe: Wipe }> => {
  const state = activeStateOf(group)
  expectAtMost('payload', payload)
  expectAtMost('authenticatedData', authenticatedData)
  if (state.proposals.size > 0) throw new MlsError('usage', 'proposals wait for a commit')
  const { suite, context, identity } = state
  const framed = framedBy(state, { kind: 'application', data: payload }, authenticatedData)
  const signature = await signContent(suite, { wireFormat: 'private', framed }, { context, secretKey: identity.signature.secretKey })
  const content: AuthenticatedContent = { wireFormat: 'private', framed, auth: { signature, confirmationTag: undefined } }
  const { message, secretTree } = await sealContent(messageSecretsOf(state), content)
  return {
    group: groupOf({ ...state, secretTree }),
    sealed: encode(mlsMessageCodec, { kind: 'private', message }),
    ...messageDelta(context.epoch, { before: state.secretTree, after: secretTree }, state.ownLeaf),
  }
}

/** A Remove proposal as a PublicMessage, kept here too until a commit settles it. */
export const proposeRemoval = async (
  group: Group,
  leafIndex: number,
  use: { authenticatedData: Bytes; maxLifetime: bigint },
): Promise<{ readonly group: Group; readonly proposal: Bytes; readonly persist: Persist }> => {
  const state = activeStateOf(group)
  expectAtMost('authenticatedData', use.authenticatedData)
  if (!state.tree.leaf(leafIndex)) throw new MlsError('usage', `leaf ${leafIndex} is blank`)
  const { suite, context, identity, secrets } = state
  const framed = framedBy(state, { kind: 'proposal', proposal: { kind: 'remove', removed: leafIndex } }, use.authenticatedData)
  const signature = await signContent(suite, { wireFormat: 'public', framed }, { context, secretKey: identity.signature.secretKey })
  const content: AuthenticatedContent = { wireFormat: 'public', framed, auth: { signature, confirmationTag: undefined } }
  const tag = await membershipTag(suite, content, { context, membershipKey: secrets.membership })
  const policy = { authenticate: () => Promise.resolve(true), maxLifetime: use.maxLifetime }
  const { state: next, sent } = await receiveProposal(state, content, policy)
  return {
    group: groupOf(next),
    proposal: encode(mlsMessageCodec, { kind: 'public', message: { framed, auth: content.auth, membershipTag: tag } }),
    persist: proposalDelta(sent),
  }
}

export interface CommitSettings {
  readonly maxLifetime: bigint
  readonly treeInWelcome: boolean
}

/** Makes a commit and the group after it; the group before stays as it is. */
export const commitChanges = async (group: Group, request: CommitRequest, settings: CommitSettings): Promise<PendingCommit> => {
  const state = activeStateOf(group)
  const { suite, identity } = state
  const { authenticatedData = NONE, note = NONE } = request
  expectAtMost('authenticatedData', authenticatedData)
  expectAtMost('note', note)
  const own = ownLeafOf(state)
  const made = await makeCommit({
    group: state,
    identity,
    leaf: leafOf(suite, identity),
    member: state.ownLeaf,
    keys: state.keys,
    init: state.secrets.init,
    membershipKey: state.secrets.membership,
    inline: inlineOf(state, request),
    references: referencesOf(state, request),
    authenticatedData: authenticatedData.slice(),
    forcePath: !equal(credentialBytes(own.credential), identity.credential),
    policy: {
      authenticate: guardedAuthenticate(request.authenticate),
      maxLifetime: settings.maxLifetime,
      ...(request.now === undefined ? {} : { now: request.now }),
    },
    findPsk: () => Promise.resolve(undefined),
    purpose: 'regular',
    wireFormat: 'public',
  })
  const next = beforeMerging(enterEpoch(state, made.start, made))
  const extensions = infoExtensions(note)
  const signed = { by: suite, start: made.start, signer: made.committer, secretKey: identity.signature.secretKey, extensions }
  const info = { ...signed, withTree: settings.treeInWelcome }
  const [welcomes, groupInfo] = await Promise.all([makeWelcomes(made, info), publishInfo({ ...info, external: next.secrets.external })])
  return {
    next: groupOf(next),
    commit: made.message,
    welcomes,
    groupInfo,
    changes: changesOf(state, made.changes, memberOf(state.ownLeaf, own)).changes,
    persist: snapshotOf(next),
  }
}

/** Removals, additions and policy that a request names itself. */
const inlineOf = (state: GroupState, { add = [], remove = [], policy }: CommitRequest): Proposal[] => {
  for (const leafIndex of remove) {
    if (leafIndex === state.ownLeaf || !state.tree.leaf(leafIndex))
      throw new MlsError('usage', `leaf ${leafIndex} cannot be removed by this commit`)
  }
  if (new Set(remove).size < remove.length) throw new MlsError('usage', 'one leaf removed twice')
  const changed: Proposal[] = policy ? [{ kind: 'group_context_extensions', extensions: contextExtensions(policy) }] : []
  return [
    ...remove.map((removed): Proposal => ({ kind: 'remove', removed })),
    ...add.map((encoded): Proposal => {
      expectAtMost('keyPackage', encoded)
      return { kind: 'add', keyPackage: decodeOwned(keyPackageCodec, encoded.slice()) }
    }),
    ...changed,
  ]
}

export type Waiting = SentProposal & { readonly ref: Bytes }

/** The waiting proposals to commit: those asked for, else all that can stand beside the rest of the request. */
export const referencesOf = (
  state: GroupState,
  { byReference, remove = [], policy }: Pick<CommitRequest, 'byReference' | 'remove' | 'policy'>,
): Waiting[] => {
  const all = [...state.proposals.values()]
  const asked = byReference?.map((ref) => {
    const known = all.find((waiting) => equal(waiting.ref, ref))
    if (!known) throw new MlsError('usage', 'no such proposal waits')
    return known
  })
  const touched = new Set([state.ownLeaf, ...remove])
  let extended = policy !== undefined
  // Removals first: a member that shall go needs no update (RFC 9420 section 12.2).
  const ordered = (asked ?? all).toSorted((a, b) => Number(b.proposal.kind === 'remove') - Number(a.proposal.kind === 'remove'))
  return ordered.filter(({ proposal, sender }) => {
    if (proposal.kind === 'group_context_extensions') return !extended && (extended = true)
    const leafIndex =
      proposal.kind === 'remove' ? proposal.removed : proposal.kind === 'update' && sender.kind === 'member' ? sender.leafIndex : undefined
    if (leafIndex === undefined) return true
    if (touched.has(leafIndex)) return false
    touched.add(leafIndex)
    return true
  })
}
