/** Groups and key packages outside the engine's profile: basic credentials, any group context extensions (RFC 9420 sections 10 and 11). */
import type { Bytes, ExternalJoinRequest, Group, Joined, KeyPackagePair, LeafIdentity, Snapshot } from '../port.ts'
import { loadSuite } from '../crypto/suite.ts'
import { enterByCommit, foundState, makeKeyPackage, openFor } from '../group/entering.ts'
import type { JoinRequest, KeyPackageRequest } from '../group/entering.ts'
import { groupOf, ownCopy } from '../group/handle.ts'
import type { FindPsk } from '../group/key-schedule.ts'
import { snapshotOf } from '../group/persist.ts'
import { noteOf } from '../group/profile.ts'
import type { LeafStyle } from '../group/profile.ts'
import { MlsError } from '../errors.ts'
import { memberOf } from '../public/members.ts'
import { decode } from '../public/codec.ts'
import type { Extension } from '../public/extensions.ts'
import { keyPackageCodec } from '../public/leaf-node.ts'
import { proposalOf } from './sending.ts'
import type { PskName } from './sending.ts'

const FOREVER = 2n ** 64n - 1n

/** A key package of any suite, with a basic credential and capabilities of the application's own if wanted. */
export const keyPackage = async (request: KeyPackageRequest & LeafStyle & { readonly suite: number }): Promise<KeyPackagePair> =>
  makeKeyPackage(await loadSuite(request.suite), request, FOREVER, request)

/** A group of one with these group context extensions, of which none is required. */
export const found = async (
  request: LeafStyle & {
    readonly suite: number
    readonly groupId: Bytes
    readonly identity: LeafIdentity
    readonly extensions?: readonly Extension[]
  },
): Promise<{ readonly group: Group; readonly persist: Snapshot }> => {
  const { extensions = [] } = request
  const identity = ownCopy(request.identity)
  const state = await foundState(await loadSuite(request.suite), {
    groupId: request.groupId,
    identity,
    extensions,
    style: request,
  })
  return { group: groupOf(state), persist: snapshotOf(state) }
}

/** Joins any group by Welcome. What the group is for, and what its extensions mean, is for the caller to see. */
export const join = async (request: JoinRequest & { readonly findPsk?: FindPsk }): Promise<Joined> => {
  const { suite } = decode(keyPackageCodec, request.keyPackage.keyPackage)
  const findPsk = request.findPsk ?? (() => Promise.resolve(undefined))
  const { state, info } = await openFor(await loadSuite(suite), request, { maxLifetime: FOREVER, findPsk })
  const signer = state.tree.leaf(info.signer)
  if (!signer) throw new MlsError('invalid', 'signer is blank')
  return { group: groupOf(state), signer: memberOf(info.signer, signer), note: noteOf(info.extensions).slice(), persist: snapshotOf(state) }
}

/** An external join that waits for its commit to be accepted. `note` is that of the GroupInfo. */
export interface Entered {
  readonly next: Group
  readonly nextPersist: Snapshot
  readonly commit: Bytes
  readonly note: Bytes
}

/** Joins any group by a commit of its own, PSKs among it if wanted (RFC 9420 sections 8.3 and 12.4.3.2). */
export const joinExternal = async (
  request: Omit<ExternalJoinRequest, 'note'> &
    LeafStyle & { readonly suite: number; readonly psks?: readonly PskName[]; readonly findPsk?: FindPsk },
): Promise<Entered> => {
  const suite = await loadSuite(request.suite)
  const { psks = [], findPsk = () => Promise.resolve(undefined) } = request
  const proposals = psks.map((psk) => proposalOf({ suite }, { kind: 'psk', psk }))
  const settings = { maxLifetime: FOREVER, style: request, psks: proposals, findPsk }
  const { state, commit, found: note } = await enterByCommit(suite, request, settings)
  return { next: groupOf(state), nextPersist: snapshotOf(state), commit, note: note.slice() }
}
