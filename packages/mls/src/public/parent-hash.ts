/** Parent hashes (RFC 9420 section 7.9): the chain by which a leaf's signature vouches for the nodes above it. */
import type { Bytes } from '../port.ts'
import { equal, NONE } from '../crypto/bytes.ts'
import type { Hash } from '../crypto/hash.ts'
import { MlsError } from '../errors.ts'
import { encode, opaque, struct } from './codec.ts'
import { keyCodec } from './leaf-node.ts'
import { isLeafNode, isUnder, leafToNode, leftOf, parentOf, rightOf } from './tree-math.ts'
import type { ParentNode, PathStep, RatchetTree } from './tree.ts'

interface ParentHashInput {
  readonly encryptionKey: Bytes
  readonly parentHash: Bytes
  readonly originalSiblingTreeHash: Bytes
}

const hashField = opaque(255)
const inputCodec = struct<ParentHashInput>({ encryptionKey: keyCodec, parentHash: hashField, originalSiblingTreeHash: hashField })

const parentHash = (hash: Hash, input: ParentHashInput): Bytes => hash.digest(encode(inputCodec, input))

/**
 * Puts new public keys on a filtered direct path, from the root down so that each node carries the hash of the next one
 * above, and returns the parent hash that the leaf must carry (RFC 9420 section 7.5).
 */
export const setPathKeys = (
  tree: RatchetTree,
  hash: Hash,
  path: readonly { readonly step: PathStep; readonly encryptionKey: Bytes }[],
): Bytes => {
  let above = NONE
  for (const { step, encryptionKey } of path.toReversed()) {
    tree.setParent(step.node, { encryptionKey, parentHash: above, unmergedLeaves: [] })
    above = parentHash(hash, { encryptionKey, parentHash: above, originalSiblingTreeHash: tree.treeHash(step.copath) })
  }
  return above
}

const parentHashOf = (tree: RatchetTree, node: number): Bytes | undefined => {
  if (!isLeafNode(node)) return tree.parent(node)?.parentHash
  const source = tree.leaf(node / 2)?.source
  return source?.kind === 'commit' ? source.parentHash : undefined
}

/** How many nodes below `child` vouch for `parent`, whose other child is `sibling` (RFC 9420 section 7.9.2). */
const vouchers = (tree: RatchetTree, hash: Hash, at: { parent: ParentNode; child: number; sibling: number }): number => {
  const { parent, child, sibling } = at
  const candidates = tree.resolution(child)
  const unmerged = parent.unmergedLeaves.map(leafToNode).filter((leaf) => isUnder(leaf, child))
  // A voucher is everything in the resolution but the leaves that came after the path was made.
  if (candidates.length !== unmerged.length + 1) return 0
  const original = tree.treeHashWithout(sibling, new Set(parent.unmergedLeaves))
  const expected = parentHash(hash, {
    encryptionKey: parent.encryptionKey,
    parentHash: parent.parentHash,
    originalSiblingTreeHash: original,
  })
  const vouches = (node: number): boolean => {
    const carried = parentHashOf(tree, node)
    if (!carried || !equal(carried, expected)) return false
    const others = new Set(candidates)
    others.delete(node)
    return unmerged.every((leaf) => others.has(leaf))
  }
  return candidates.filter(vouches).length
}

/** Every non-blank parent must be vouched for by exactly one node below it. Throws `invalid`. */
export const verifyParentHashes = (tree: RatchetTree, hash: Hash): void => {
  for (const [node, parent] of tree.parents()) {
    const [left, right] = [leftOf(node), rightOf(node)]
    const found =
      vouchers(tree, hash, { parent, child: left, sibling: right }) + vouchers(tree, hash, { parent, child: right, sibling: left })
    if (found !== 1) throw new MlsError('invalid', `${found} nodes vouch for parent ${node}`)
  }
}

/**
 * RFC 9420 section 12.4.3.1: unmerged leaves are occupied, lie below their node, and are listed by every non-blank node in
 * between. Higher ancestors need not list them: those may have been set after the leaf was added.
 */
export const verifyUnmergedLeaves = (tree: RatchetTree): void => {
  for (const [node, parent] of tree.parents()) {
    for (const leafIndex of parent.unmergedLeaves) {
      const leaf = leafToNode(leafIndex)
      if (!tree.leaf(leafIndex) || !isUnder(leaf, node)) throw new MlsError('invalid', `unmerged leaf ${leafIndex} is not below ${node}`)
      for (let between = parentOf(leaf); between !== node; between = parentOf(between)) {
        const listed = tree.parent(between)?.unmergedLeaves.includes(leafIndex) ?? true
        if (!listed) throw new MlsError('invalid', `unmerged leaf ${leafIndex} is missing at ${between}`)
      }
    }
  }
}
