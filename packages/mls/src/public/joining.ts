/** What a newcomer can check of a GroupInfo and its tree without secrets (RFC 9420 section 12.4.3). */
import type { Bytes } from '../port.ts'
import { equal } from '../crypto/bytes.ts'
import { inBatches } from '../crypto/in-batches.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { suiteOf } from '../crypto/suite.ts'
import { MlsError } from '../errors.ts'
import { decode, decodeOwned } from './codec.ts'
import { interimTranscriptHash } from './content-auth.ts'
import { EXTENSION, externalSendersOf, findExtension, requiredCapabilitiesOf } from './extensions.ts'
import { verifyGroupInfoSignature } from './group-info.ts'
import type { GroupInfo } from './group-info.ts'
import { authenticateLeaf, validateLeaf, validateRoster } from './leaf-validation.ts'
import type { LeafPolicy } from './leaf-validation.ts'
import { verifyParentHashes, verifyUnmergedLeaves } from './parent-hash.ts'
import type { PublicGroup } from './staged-commit.ts'
import { RatchetTree } from './tree.ts'

/** Decodes the tree that goes with a GroupInfo: the one given apart, or the one inside. */
export const treeOf = (by: CipherSuite, info: GroupInfo, apart?: Bytes): RatchetTree => {
  const codec = RatchetTree.codec(by.hash)
  if (apart) return decode(codec, apart)
  const inside = findExtension(info.extensions, EXTENSION.ratchetTree)
  if (!inside) throw new MlsError('usage', 'the ratchet tree is neither in the GroupInfo nor given apart')
  return decodeOwned(codec, inside)
}

/**
 * The public group that a GroupInfo describes (RFC 9420 section 12.4.3), after verifying its signature, tree hash, every leaf, every parent hash and
 * the unmerged leaves. The confirmation tag needs secrets and is not checked.
 */
export const readGroupInfo = async (info: GroupInfo, policy: LeafPolicy, treeApart?: Bytes): Promise<PublicGroup> => {
  const { context } = info
  const suite = suiteOf(context.suite)
  const tree = treeOf(suite, info, treeApart)
  const signer = tree.leaf(info.signer)
  if (!signer || !(await verifyGroupInfoSignature(suite, info, signer.signatureKey)))
    throw new MlsError('auth_failed', 'GroupInfo signature')
  await tree.hashLeaves()
  if (!equal(tree.treeHash(), context.treeHash)) throw new MlsError('invalid', 'tree hash')
  verifyUnmergedLeaves(tree)
  verifyParentHashes(tree, suite.hash)
  for (const [, parent] of tree.parents()) suite.hpke.kem.check(parent.encryptionKey)
  requiredCapabilitiesOf(context.extensions)
  externalSendersOf(context.extensions)
  validateRoster(tree, context.extensions)
  await inBatches([...tree.leaves()], async ([leafIndex, leaf]) => {
    await validateLeaf(suite, leaf, { groupId: context.groupId, leafIndex })
    await authenticateLeaf(leaf, policy.authenticate)
  })
  return {
    suite,
    context,
    tree,
    interimTranscriptHash: interimTranscriptHash(suite, context.confirmedTranscriptHash, info.confirmationTag),
    proposals: new Map(),
  }
}
