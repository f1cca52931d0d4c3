/**
 * Proposals and commits of every kind that RFC 9420 knows, as PublicMessage or PrivateMessage: for applications that need more
 * of MLS than the port offers. Works on the same groups as the engine, and its results are stored in the same way.
 */
import { MlsError } from '../errors.ts'
import type { AuthenticateLeaf, Bytes, Group, OutgoingWelcome, Persist, SlotChange, Snapshot, Wipe } from '../port.ts'
import { equal, hex } from '../crypto/bytes.ts'
import type { KeyPair } from '../crypto/kem.ts'
import { randomBytes } from '../crypto/webcrypto.ts'
import { framedBy, referencesOf } from '../group/committing.ts'
import type { Waiting } from '../group/committing.ts'
import { makeCommit, makeWelcomes, publishInfo } from '../group/create-commit.ts'
import type { CommitPlan } from '../group/create-commit.ts'
import { activeStateOf, groupOf } from '../group/handle.ts'
import type { FindPsk } from '../group/key-schedule.ts'
import { guardedAuthenticate } from '../group/opening.ts'
import { snapshotOf } from '../group/persist.ts'
import { sealContent } from '../group/private-message.ts'
import { enterEpoch } from '../group/process-commit.ts'
import { expectAtMost, infoExtensions, leafOf } from '../group/profile.ts'
import { receiveProposal } from '../group/receive.ts'
import { messageDelta, proposalDelta } from '../group/slots.ts'
import { beforeMerging, messageSecretsOf, ownLeafOf } from '../group/state.ts'
import type { GroupState } from '../group/state.ts'
import { decode, encode } from '../public/codec.ts'
import { membershipTag, signContent } from '../public/content-auth.ts'
import { credentialBytes } from '../public/credential.ts'
import type { Extension } from '../public/extensions.ts'
import { keyPackageCodec, signLeaf } from '../public/leaf-node.ts'
import { mlsMessageCodec } from '../public/message.ts'
import type { AuthenticatedContent, Content } from '../public/message.ts'
import { LAST_DEFAULT_PROPOSAL } from '../public/proposal.ts'
import type { Proposal } from '../public/proposal.ts'
import type { LeafChange, Purpose } from '../public/proposal-list.ts'

/** A pre-shared key by name (RFC 9420 section 8.4); its nonce is made here. */
export type PskName =
  | { readonly kind: 'external'; readonly id: Bytes }
  | {
      readonly kind: 'resumption'
      readonly usage: 'application' | 'reinit' | 'branch'
      readonly groupId: Bytes
      readonly epoch: bigint
    }

/** What may be proposed (RFC 9420 section 12.1). */
export type Wanted =
  /** An encoded KeyPackage (section 12.1.1). */
  | { readonly kind: 'add'; readonly keyPackage: Bytes }
  | { readonly kind: 'remove'; readonly leafIndex: number }
  /** Section 12.1.4. Every member must be able to find the key. */
  | { readonly kind: 'psk'; readonly psk: PskName }
  /** Section 12.1.5. Alone in its commit, which ends the group. */
  | { readonly kind: 'reinit'; readonly groupId: Bytes; readonly suite: number; readonly extensions: readonly Extension[] }
  /** Section 12.1.7: all extensions of the new context, not only what changes. */
  | { readonly kind: 'extensions'; readonly extensions: readonly Extension[] }
  /** A type that RFC 9420 does not define (sections 12.1 and 17.4). Every member must list it among its capabilities. */
  | { readonly kind: 'custom'; readonly type: number; readonly data: Bytes }

/** `update` (section 12.1.2) cannot be inline: a committer updates by its path. */
export type Proposable = Wanted | { readonly kind: 'update' }

/** How a handshake travels (section 6). */
export type Framing = 'public' | 'private'

const NONE: Bytes = new Uint8Array()

const named = ({ suite }: Pick<GroupState, 'suite'>, psk: PskName): Proposal => ({
  kind: 'psk',
  psk: { ...psk, nonce: randomBytes(suite.hash.length) },
})

/** The proposal itself, with what is fresh in it made here. */
export const proposalOf = (state: Pick<GroupState, 'suite'>, wanted: Wanted): Proposal => {
  switch (wanted.kind) {
    case 'add':
      expectAtMost('keyPackage', wanted.keyPackage)
      return { kind: 'add', keyPackage: decode(keyPackageCodec, wanted.keyPackage) }
    case 'remove':
      return { kind: 'remove', removed: wanted.leafIndex }
    case 'psk':
      return named(state, wanted.psk)
    case 'reinit':
      expectAtMost('groupId', wanted.groupId)
      return { ...wanted, version: 'mls10' }
    case 'extensions':
      return { kind: 'group_context_extensions', extensions: wanted.extensions }
    case 'custom':
      if (wanted.type <= LAST_DEFAULT_PROPOSAL || wanted.type > 0xffff) throw new MlsError('usage', `proposal type ${wanted.type}`)
      return { kind: 'custom', type: wanted.type, data: wanted.data.slice() }
  }
}

/** The own leaf as it shall be again: with the kind of credential, the capabilities and the extensions that it has. */
const leafAgain = (state: GroupState) => {
  const { credential, capabilities, extensions } = ownLeafOf(state)
  return {
    ...leafOf(state.suite, state.identity, { credential: credential.kind === 'basic' ? 'basic' : 'certificate' }),
    capabilities,
    extensions,
  }
}

/** A fresh leaf in the place of the own one, for others to commit. */
const updateOf = async (state: GroupState): Promise<{ proposal: Proposal; pair: KeyPair }> => {
  const { suite, identity, context, ownLeaf } = state
  const pair = await suite.hpke.kem.generate()
  const unsigned = { ...leafAgain(state), encryptionKey: pair.publicKey, source: { kind: 'update' } as const }
  const place = { groupId: context.groupId, leafIndex: ownLeaf, secretKey: identity.signature.secretKey }
  return { pair, proposal: { kind: 'update', leaf: await signLeaf(suite, unsigned, place) } }
}

interface Sent {
  /** The state after sending: a PrivateMessage uses up a generation. */
  readonly state: GroupState
  readonly message: Bytes
  readonly slots: readonly SlotChange[]
  readonly wipe: Wipe
}

const signed = async (
  state: GroupState,
  use: { content: Content; framing: Framing; authenticatedData: Bytes },
): Promise<AuthenticatedContent> => {
  const { suite, context, identity } = state
  const unsigned = { wireFormat: use.framing, framed: framedBy(state, use.content, use.authenticatedData) }
  const signature = await signContent(suite, unsigned, { context, secretKey: identity.signature.secretKey })
  return { ...unsigned, auth: { signature, confirmationTag: undefined } }
}

const send = async (state: GroupState, content: AuthenticatedContent): Promise<Sent> => {
  const { suite, context, secrets } = state
  if (content.wireFormat === 'public') {
    const tag = await membershipTag(suite, content, { context, membershipKey: secrets.membership })
    const message = encode(mlsMessageCodec, { kind: 'public', message: { framed: content.framed, auth: content.auth, membershipTag: tag } })
    return { state, message, slots: [], wipe: [] }
  }
  const { message, secretTree } = await sealContent(messageSecretsOf(state), content)
  const { persist, wipe } = messageDelta(context.epoch, { before: state.secretTree, after: secretTree }, state.ownLeaf)
  return { state: { ...state, secretTree }, message: encode(mlsMessageCodec, { kind: 'private', message }), slots: persist.slots, wipe }
}

/** How a proposal is sent (RFC 9420 sections 6 and 12.1). */
export interface ProposeRequest {
  readonly framing: Framing
  readonly authenticatedData?: Bytes
  readonly authenticate: AuthenticateLeaf
}

const FOREVER = 2n ** 64n - 1n

/** A proposal that waits, here too, for anybody's commit (RFC 9420 section 12.1). Store what `persist` says before sending it. */
export const propose = async (
  group: Group,
  wanted: Proposable,
  { framing, authenticatedData = NONE, authenticate }: ProposeRequest,
): Promise<{ readonly group: Group; readonly proposal: Bytes; readonly persist: Persist; readonly wipe: Wipe }> => {
  const before = activeStateOf(group)
  const { proposal, pair } = wanted.kind === 'update' ? await updateOf(before) : { proposal: proposalOf(before, wanted), pair: undefined }
  const state = pair ? { ...before, ownUpdates: new Map([...before.ownUpdates, [hex(pair.publicKey), pair]]) } : before
  const content = await signed(state, { content: { kind: 'proposal', proposal }, framing, authenticatedData })
  const sent = await send(state, content)
  const policy = { authenticate: guardedAuthenticate(authenticate), maxLifetime: FOREVER }
  const received = await receiveProposal(sent.state, content, policy)
  return {
    group: groupOf(received.state),
    proposal: sent.message,
    persist: { kind: 'delta', slots: [...sent.slots, ...proposalDelta(received.sent, state.ownUpdates).slots] },
    wipe: sent.wipe,
  }
}

/** What to commit, and how (RFC 9420 section 12.4). */
export interface ProtocolCommit {
  readonly framing: Framing
  /** Proposals by value. */
  readonly inline?: readonly Wanted[]
  /** Refs of waiting proposals; absent: all that can stand together. */
  readonly byReference?: readonly Bytes[]
  readonly authenticatedData?: Bytes
  readonly note?: Bytes
  readonly authenticate: AuthenticateLeaf
  readonly findPsk?: FindPsk
  /** Seconds; judges the lifetimes of added key packages when given. */
  readonly now?: bigint
}

/** A commit that waits to be accepted (RFC 9420 section 14). */
export interface ProtocolPending {
  /** The current group after sending, and what changed in its rows: a PrivateMessage uses up a generation, accepted or not. */
  readonly group: Group
  readonly persist: Persist
  readonly wipe: Wipe
  /** The group after the commit, for `merge`; its snapshot lies beside the current one until the commit is accepted. */
  readonly next: Group
  readonly nextPersist: Snapshot
  readonly commit: Bytes
  readonly welcomes: readonly OutgoingWelcome[]
  readonly changes: readonly LeafChange[]
}

const noPsk: FindPsk = () => Promise.resolve(undefined)

/** A ReInit stands alone (RFC 9420 section 12.2): unless it is asked for, it waits until nothing else is to be committed. */
const together = (waiting: readonly Waiting[], { byReference, inline = [] }: ProtocolCommit): readonly Waiting[] => {
  if (byReference) return waiting
  const others = waiting.filter(({ proposal }) => proposal.kind !== 'reinit')
  return others.length + inline.length > 0 ? others : waiting.slice(0, 1)
}

/** The plan of a member's commit, for `makeCommit`. */
export const planOf = (state: GroupState, request: ProtocolCommit & { readonly purpose?: Purpose }): CommitPlan => {
  const { inline = [], authenticatedData = NONE, authenticate, findPsk = noPsk, purpose = 'regular', now } = request
  const { identity } = state
  const remove = inline.flatMap((each) => (each.kind === 'remove' ? [each.leafIndex] : []))
  const extends_ = inline.some(({ kind }) => kind === 'extensions')
  expectAtMost('authenticatedData', authenticatedData)
  return {
    group: state,
    identity,
    leaf: leafAgain(state),
    member: state.ownLeaf,
    keys: state.keys,
    init: state.secrets.init,
    membershipKey: state.secrets.membership,
    inline: inline.map((wanted) => proposalOf(state, wanted)),
    references: together(
      referencesOf(state, {
        remove,
        ...(request.byReference && { byReference: request.byReference }),
        ...(extends_ && { policy: NONE }),
      }),
      request,
    ),
    authenticatedData: authenticatedData.slice(),
    forcePath: !equal(credentialBytes(ownLeafOf(state).credential), identity.credential),
    policy: { authenticate: guardedAuthenticate(authenticate), maxLifetime: FOREVER, ...(now === undefined ? {} : { now }) },
    findPsk,
    purpose,
    wireFormat: request.framing,
  }
}

/** A commit of anything that may be committed (RFC 9420 section 12.4). */
export const commit = async (group: Group, request: ProtocolCommit): Promise<ProtocolPending> => {
  const state = activeStateOf(group)
  const made = await makeCommit(planOf(state, request))
  const sent = request.framing === 'private' ? await send(state, made.content) : { state, message: made.message, slots: [], wipe: [] }
  const next = beforeMerging(enterEpoch(sent.state, made.start, made))
  const info = { by: state.suite, start: made.start, signer: made.committer, secretKey: state.identity.signature.secretKey }
  const extensions = infoExtensions(request.note ?? NONE)
  return {
    group: groupOf(sent.state),
    persist: { kind: 'delta', slots: sent.slots },
    wipe: sent.wipe,
    next: groupOf(next),
    nextPersist: snapshotOf(next),
    commit: sent.message,
    welcomes: await makeWelcomes(made, { ...info, extensions, withTree: true }),
    changes: made.changes,
  }
}

/** A GroupInfo of the current epoch by which newcomers can join from outside (RFC 9420 section 12.4.3.2). */
export const groupInfo = (group: Group, note: Bytes = NONE): Promise<Bytes> => {
  const state = activeStateOf(group)
  const { suite: by, ownLeaf: signer, identity, secrets } = state
  const extensions = infoExtensions(note)
  return publishInfo({
    by,
    start: state,
    signer,
    secretKey: identity.signature.secretKey,
    extensions,
    external: secrets.external,
    withTree: true,
  })
}
