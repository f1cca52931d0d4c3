/**
 * Groups that continue others: re-initialisation into another suite or version (RFC 9420 section 11.2), branching off a
 * subgroup (section 11.3), and the resumption keys that tie them to what they continue (section 8.6).
 */
import type { Bytes, Group, Joined, LeafIdentity, Member } from '../port.ts'
import { equal, hex } from '../crypto/bytes.ts'
import { loadSuite } from '../crypto/suite.ts'
import { MlsError } from '../errors.ts'
import { memberOf, membersOf } from '../public/members.ts'
import { foundState, openFor } from '../group/entering.ts'
import type { JoinRequest } from '../group/entering.ts'
import { groupOf, ownCopy, stateOf } from '../group/handle.ts'
import type { FindPsk } from '../group/key-schedule.ts'
import { snapshotOf } from '../group/persist.ts'
import { noteOf } from '../group/profile.ts'
import type { GroupState } from '../group/state.ts'
import { encode } from '../public/codec.ts'
import { extensionsCodec } from '../public/extensions.ts'
import type { Extension } from '../public/extensions.ts'
import type { PskId } from '../public/proposal.ts'
import { commitFrom } from './founding.ts'
import type { ProtocolPending, PskName } from './sending.ts'

/** A resumption key with its name (section 8.6). Worth keeping only for epochs that something shall be tied to. */
export interface ResumptionKey {
  readonly groupId: Bytes
  readonly epoch: bigint
  readonly psk: Bytes
}

/** The resumption key of the current epoch (RFC 9420 section 8.6), also of a group that was re-initialised. */
export const resumptionKey = (group: Group): ResumptionKey => {
  const { context, secrets, ended } = stateOf(group)
  if (ended === 'removed') throw new MlsError('usage', 'a removed member has no keys')
  return { groupId: context.groupId.slice(), epoch: context.epoch, psk: secrets.resumption.slice() }
}

/** A finder of exactly these resumption keys (RFC 9420 section 8.4), to be combined with one of external PSKs. */
export const findResumption =
  (keys: readonly ResumptionKey[], others: FindPsk = () => Promise.resolve(undefined)): FindPsk =>
  async (id: PskId) => {
    if (id.kind === 'external') return others(id)
    return keys.find(({ groupId, epoch }) => epoch === id.epoch && equal(groupId, id.groupId))?.psk ?? others(id)
  }

/** How a group is continued by another one (RFC 9420 sections 11.2 and 11.3). */
export interface Continuation {
  /** Who continues: the own identity, with a signature pair of the new suite. */
  readonly identity: LeafIdentity
  /** Encoded KeyPackages of the other members, in the new suite. */
  readonly add: readonly Bytes[]
  readonly authenticate: JoinRequest['authenticate']
  readonly note?: Bytes
}

const linkTo = (old: GroupState, usage: 'reinit' | 'branch'): PskName => ({
  kind: 'resumption',
  usage,
  groupId: old.context.groupId,
  epoch: old.context.epoch,
})

/** The group that a committed ReInit announced, with its first commit pending: epoch 1, the other members added (section 11.2). */
export const reinitialise = async (old: Group, request: Continuation): Promise<ProtocolPending> => {
  const state = stateOf(old)
  if (!state.reinit) throw new MlsError('usage', 'no ReInit was committed')
  const { groupId, suite, extensions } = state.reinit
  const founded = await foundState(await loadSuite(suite), { groupId, extensions, identity: ownCopy(request.identity) })
  return commitFrom(founded, {
    ...request,
    link: linkTo(state, 'reinit'),
    purpose: 'reinit',
    findPsk: findResumption([resumptionKey(old)]),
  })
}

/** A subgroup of some of the members, tied to the current epoch (section 11.3). The group itself goes on. */
export const branch = async (
  group: Group,
  request: Continuation & { readonly groupId: Bytes; readonly extensions?: readonly Extension[] },
): Promise<ProtocolPending> => {
  const state = stateOf(group)
  const { groupId, extensions = state.context.extensions } = request
  const founded = await foundState(state.suite, { groupId, extensions, identity: ownCopy(request.identity) })
  return commitFrom(founded, {
    ...request,
    link: linkTo(state, 'branch'),
    purpose: 'branch',
    findPsk: findResumption([resumptionKey(group)]),
  })
}

const FOREVER = 2n ** 64n - 1n

/**
 * Joins a group that continues `from` by ReInit or as a branch, and checks that it does: same parameters, and nobody in it
 * who was not in the old one (a re-initialised group has them all). Throws `invalid` when it is something else.
 */
export const joinContinued = async (
  request: JoinRequest & { readonly from: Group; readonly as: 'reinit' | 'branch'; readonly findPsk?: FindPsk },
): Promise<Joined> => {
  const old = stateOf(request.from)
  const by = await loadSuite(request.as === 'reinit' ? (old.reinit?.suite ?? old.suite.id) : old.suite.id)
  const findPsk = findResumption([resumptionKey(request.from)], request.findPsk)
  const { state, info, psks } = await openFor(by, request, { maxLifetime: FOREVER, findPsk })
  if (!psks.some((psk) => isLink(psk, old, request.as))) throw new MlsError('invalid', `group is no ${request.as} of that one`)
  if (request.as === 'reinit') expectAnnounced(state, old)
  expectKnownMembers(state, { old, all: request.as === 'reinit' })
  const signer = state.tree.leaf(info.signer)
  if (!signer) throw new MlsError('invalid', 'signer is blank')
  return { group: groupOf(state), signer: memberOf(info.signer, signer), note: noteOf(info.extensions).slice(), persist: snapshotOf(state) }
}

const isLink = (psk: PskId, { context }: GroupState, usage: 'reinit' | 'branch'): boolean =>
  psk.kind === 'resumption' && psk.usage === usage && psk.epoch === context.epoch && equal(psk.groupId, context.groupId)

const expectAnnounced = ({ context }: GroupState, { reinit }: GroupState): void => {
  const same =
    reinit !== undefined &&
    reinit.suite === context.suite &&
    equal(reinit.groupId, context.groupId) &&
    equal(encode(extensionsCodec, reinit.extensions), encode(extensionsCodec, context.extensions))
  if (!same) throw new MlsError('invalid', 'group is not the one that the ReInit announced')
}

const namesOf = (members: readonly Member[]): Set<string> => new Set(members.map(({ credential }) => hex(credential)))

const expectKnownMembers = (state: GroupState, { old, all }: { old: GroupState; all: boolean }): void => {
  const [before, now] = [namesOf(membersOf(old.tree)), namesOf(membersOf(state.tree))]
  if ([...now].some((name) => !before.has(name)) || (all && now.size < before.size))
    throw new MlsError('invalid', 'members differ from those of the old group')
}
