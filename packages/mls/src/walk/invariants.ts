/** What must hold of every member's tree and keys after every commit (RFC 9420 sections 4, 7.7 and 7.9). */
import { equal, hex } from '../crypto/bytes.ts'
import type { Group } from '../port.ts'
import { stateOf } from '../group/handle.ts'
import type { GroupState } from '../group/state.ts'
import { openPath } from '../group/treekem.ts'
import { decode, encode } from '../public/codec.ts'
import { readMessage } from '../public/message.ts'
import { verifyParentHashes, verifyUnmergedLeaves } from '../public/parent-hash.ts'
import { stageCommit } from '../public/staged-commit.ts'
import { directPath, isUnder, leafToNode } from '../public/tree-math.ts'
import { RatchetTree } from '../public/tree.ts'
import { demand, yes } from './walker.ts'

/** The tree as everybody sees it. */
export const expectSoundTree = (group: Group): void => {
  const { tree, context, suite } = stateOf(group)
  const codec = RatchetTree.codec(suite.hash)
  // Decoded anew it remembers no hashes, and says whether the encoding is the one that others accept.
  const afresh = decode(codec, encode(codec, tree))
  demand(afresh.leafCount === tree.leafCount, 'the tree is larger than it needs to be')
  demand(equal(afresh.treeHash(), context.treeHash), 'the tree is not the one that the group agreed on')
  verifyUnmergedLeaves(afresh)
  verifyParentHashes(afresh, suite.hash)
  const keys = [...tree.leaves()]
    .map(([, leaf]) => leaf.encryptionKey)
    .concat([...tree.parents()].map(([, parent]) => parent.encryptionKey))
  demand(new Set(keys.map(hex)).size === keys.length, 'two nodes have one key')
}

/** A member has the private keys of its leaf and of the nodes above it that it is merged into, and no others. */
export const expectOwnKeys = async (group: Group): Promise<void> => {
  const { tree, keys, ownLeaf, suite } = stateOf(group)
  const leaf = leafToNode(ownLeaf)
  const known = directPath(leaf, tree.leafCount).filter((node) => tree.parent(node)?.unmergedLeaves.includes(ownLeaf) === false)
  const expected = new Set([leaf, ...known])
  demand(keys.size === expected.size && [...keys.keys()].every((node) => expected.has(node)), 'a member has other keys than it should')
  for (const [node, pair] of keys) {
    const published = tree.publicKeyOf(node)
    demand(published !== undefined && isUnder(leaf, node) && equal(published, pair.publicKey), 'a key is not the one in the tree')
    demand(equal(await suite.hpke.kem.publicKeyOf(pair.secretKey), published), 'a private key does not belong to its public key')
  }
}

/** Tries what a removed member could: to open the path of the commit that removed it, in the place of every leaf. */
export const expectLockedOut = async (before: GroupState, commit: Uint8Array): Promise<void> => {
  const { message } = readMessage(commit, 'public')
  const policy = { authenticate: yes, maxLifetime: 2n ** 64n, isSameClient: () => true }
  const staged = await stageCommit(before, { wireFormat: 'public', ...message }, policy)
  demand(staged.path !== undefined, 'a removal has no path')
  const { update, steps } = staged.path
  for (let ownLeaf = 0; ownLeaf < staged.tree.leafCount; ownLeaf++) {
    const opened = await openPath(before.suite, { ...staged, ownLeaf, keys: before.keys, update, steps }).catch(() => undefined)
    demand(opened === undefined, 'a removed member opens the path of its removal')
  }
}
