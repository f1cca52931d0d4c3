/**
 * A ratchet tree node by node, for who stores one row per node: a commit then changes as many rows as its path has nodes,
 * and the tree of any epoch is put together again without being understood.
 */
import type { Bytes } from '../port.ts'
import { MlsError } from '../errors.ts'
import { decode, encode, Writer } from './codec.ts'
import type { CipherSuite } from '../crypto/suite.ts'
import { nodeCodec, RatchetTree } from './tree.ts'
import { isLeafNode, nodeWidth } from './tree-math.ts'

/** An encoded Node (RFC 9420 section 12.4.3.3) and its index in the tree. */
export interface NodeRow {
  readonly node: number
  readonly bytes: Bytes
}

/** What became of a node; undefined: it is blank, or out of the tree. */
export interface NodeChange {
  readonly node: number
  readonly bytes: Bytes | undefined
}

/** The nodes in which two trees of one group differ (RFC 9420 section 7.1), in order; all that are not blank when there was none before. */
export const changedNodes = (before: RatchetTree | undefined, after: RatchetTree): NodeChange[] => {
  const changes: NodeChange[] = []
  const width = nodeWidth(Math.max(before?.leafCount ?? 1, after.leafCount))
  for (let node = 0; node < width; node++) {
    const now = contentOf(after, node)
    // Trees share the nodes that a commit leaves alone.
    if (now !== (before && contentOf(before, node))) changes.push({ node, bytes: encodedNode(after, node) })
  }
  return changes
}

const contentOf = (tree: RatchetTree, node: number): object | undefined => (isLeafNode(node) ? tree.leaf(node / 2) : tree.parent(node))

const encodedNode = (tree: RatchetTree, node: number): Bytes | undefined => {
  const leaf = isLeafNode(node) ? tree.leaf(node / 2) : undefined
  if (leaf) return encode(nodeCodec, { kind: 'leaf', leaf })
  const parent = isLeafNode(node) ? undefined : tree.parent(node)
  return parent && encode(nodeCodec, { kind: 'parent', parent })
}

/** The `ratchet_tree` extension (RFC 9420 section 12.4.3.3) that these nodes, in increasing order, make up. */
export const treeOfNodes = (rows: Iterable<NodeRow>): Bytes => {
  const to = new Writer()
  to.vector(() => {
    let next = 0
    for (const { node, bytes } of rows) {
      if (node < next) throw new MlsError('usage', 'nodes are not in order')
      for (; next < node; next++) to.uint(1, 0)
      to.uint(1, 1)
      to.raw(bytes)
      next++
    }
  })
  return to.finish()
}

/** Decodes a `ratchet_tree` extension (RFC 9420 section 12.4.3.3). Says nothing about whether the tree is sound. */
export const decodeTree = (by: CipherSuite, encoded: Bytes): RatchetTree => decode(RatchetTree.codec(by.hash), encoded)
