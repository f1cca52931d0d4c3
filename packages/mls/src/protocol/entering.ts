/** Groups and key packages outside the engine's profile: basic credentials, any group context extensions (RFC 9420 sections 10 and 11). */
import type { Bytes, Group, Joined, KeyPackagePair, LeafIdentity, Snapshot } from '../port.ts'
import { loadSuite } from '../crypto/suite.ts'
import { foundState, makeKeyPackage, openFor } from '../group/entering.ts'
import type { JoinRequest, KeyPackageRequest } from '../group/entering.ts'
import { groupOf, ownCopy } from '../group/handle.ts'
import type { FindPsk } from '../group/key-schedule.ts'
import { snapshotOf } from '../group/persist.ts'
import { noteOf } from '../group/profile.ts'
import type { CredentialKind } from '../group/profile.ts'
import { MlsError } from '../errors.ts'
import { memberOf } from '../public/members.ts'
import { decode } from '../public/codec.ts'
import type { Extension } from '../public/extensions.ts'
import { keyPackageCodec } from '../public/leaf-node.ts'

const FOREVER = 2n ** 64n - 1n

/** A key package of any suite, with a basic credential if wanted. */
export const keyPackage = async (
  request: KeyPackageRequest & { readonly suite: number; readonly credential?: CredentialKind },
): Promise<KeyPackagePair> => makeKeyPackage(await loadSuite(request.suite), request, FOREVER, request.credential)

/** A group of one with these group context extensions, of which none is required. */
export const found = async (request: {
  readonly suite: number
  readonly groupId: Bytes
  readonly identity: LeafIdentity
  readonly credential?: CredentialKind
  readonly extensions?: readonly Extension[]
}): Promise<{ readonly group: Group; readonly persist: Snapshot }> => {
  const { extensions = [], credential } = request
  const identity = ownCopy(request.identity)
  const state = await foundState(await loadSuite(request.suite), {
    groupId: request.groupId,
    identity,
    extensions,
    ...(credential && { credential }),
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
