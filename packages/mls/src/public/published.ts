/** What a committer hands to the delivery service beside its commit, held against what the commit makes of the group. */
import type { Bytes, Member } from '../port.ts'
import { equal, hex } from '../crypto/bytes.ts'
import { inBatches } from '../crypto/in-batches.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { MlsError } from '../errors.ts'
import { encode } from './codec.ts'
import { EXTENSION, externalPubOf, findExtension } from './extensions.ts'
import { groupContextCodec, verifyGroupInfoSignature } from './group-info.ts'
import type { GroupInfo } from './group-info.ts'
import { keyPackageRef } from './leaf-node.ts'
import { memberOf } from './members.ts'
import { readMessage } from './message.ts'
import { splitWelcome } from './split-welcome.ts'
import type { StagedCommit } from './staged-commit.ts'

type Made = Pick<StagedCommit, 'context' | 'confirmationTag' | 'committer' | 'committerLeaf' | 'changes'>

const invalid = (why: string): MlsError => new MlsError('invalid', why)

/**
 * The GroupInfo that goes with a commit: of the very epoch that the commit begins, signed by the committer, with the key by
 * which newcomers join (RFC 9420 section 12.4.3.2) and without a tree. Throws `MlsError`. The confirmation tag is the
 * commit's; whether it is right only members can tell.
 */
export const verifyPublishedInfo = async (by: CipherSuite, message: Bytes, made: Made): Promise<GroupInfo> => {
  const { groupInfo: info } = readMessage(message, 'group_info')
  const isSameContext = equal(encode(groupContextCodec, info.context), encode(groupContextCodec, made.context))
  if (!isSameContext || !equal(info.confirmationTag, made.confirmationTag)) throw invalid('GroupInfo of another group or epoch')
  if (info.signer !== made.committer) throw invalid('GroupInfo by another member than the committer')
  expectPublishable(by, info)
  if (!(await verifyGroupInfoSignature(by, info, made.committerLeaf.signatureKey))) throw new MlsError('auth_failed', 'GroupInfo signature')
  return info
}

/** Throws for a GroupInfo that nobody could join by from outside (RFC 9420 section 12.4.3.2), or that carries a tree. */
export const expectPublishable = (by: CipherSuite, { extensions }: GroupInfo): void => {
  if (findExtension(extensions, EXTENSION.ratchetTree)) throw new MlsError('unsupported', 'GroupInfo with a tree')
  const externalPub = externalPubOf(extensions)
  if (!externalPub) throw invalid('GroupInfo without external_pub')
  by.hpke.kem.check(externalPub)
}

/** A newcomer and its part of the Welcome. */
export interface Welcomed {
  readonly member: Member
  readonly bytes: Bytes
}

/** The Welcome of a commit (RFC 9420 section 12.4.3.1), taken apart. Throws `invalid` unless it is for exactly those whom the commit adds by key package. */
export const welcomesOf = async (by: CipherSuite, welcome: Bytes | undefined, { changes }: Pick<Made, 'changes'>): Promise<Welcomed[]> => {
  const added = changes.flatMap((change) =>
    change.kind === 'added' && change.keyPackage ? [{ ...change, keyPackage: change.keyPackage }] : [],
  )
  if (!welcome) {
    if (added.length > 0) throw invalid('commit adds without a Welcome')
    return []
  }
  const { suite, parts } = splitWelcome(welcome)
  if (suite !== by.id) throw invalid('Welcome of another suite')
  const byRef = new Map(parts.map(({ ref, bytes }) => [hex(ref), bytes]))
  if (parts.length !== added.length || added.length === 0) throw invalid('Welcome for others than the commit adds')
  return inBatches(added, async ({ leafIndex, leaf, keyPackage }) => {
    const bytes = byRef.get(hex(await keyPackageRef(by, keyPackage)))
    if (!bytes) throw invalid('newcomer without a part of the Welcome')
    return { member: memberOf(leafIndex, leaf), bytes }
  })
}
