import { expect, test } from 'vitest'
import { fromHex, hex } from '../crypto/bytes.ts'
import { vectorTest } from '../crypto/vectors.test-support.ts'
import { suiteOf } from '../crypto/suite.ts'
import { decode, encode } from './codec.ts'
import { verifyLeafSignature } from './leaf-node.ts'
import { verifyParentHashes, verifyUnmergedLeaves } from './parent-hash.ts'
import { proposalCodec } from './proposal.ts'
import { RatchetTree } from './tree.ts'
import * as math from './tree-math.ts'

interface TreeMath {
  n_leaves: number
  n_nodes: number
  root: number
  left: (number | null)[]
  right: (number | null)[]
  parent: (number | null)[]
  sibling: (number | null)[]
}

vectorTest<TreeMath>('mls/tree-math.json', 'tree arithmetic agrees with the official vectors', async (vectors) => {
  for (const vector of vectors) {
    expect([math.nodeWidth(vector.n_leaves), math.rootOf(vector.n_leaves)]).toEqual([vector.n_nodes, vector.root])
    for (let node = 0; node < vector.n_nodes; node++) {
      if (!math.isLeafNode(node)) expect([math.leftOf(node), math.rightOf(node)]).toEqual([vector.left[node], vector.right[node]])
      if (node !== vector.root) expect([math.parentOf(node), math.siblingOf(node)]).toEqual([vector.parent[node], vector.sibling[node]])
    }
  }
})

interface Validation {
  cipher_suite: number
  tree: string
  group_id: string
  tree_hashes: string[]
  resolutions: number[][]
}

vectorTest<Validation>(
  'mls/tree-validation.json',
  'trees, hashes, resolutions and parent hashes agree with the official vectors',
  async (vectors) => {
    for (const vector of vectors) {
      const by = suiteOf(vector.cipher_suite)
      const codec = RatchetTree.codec(by.hash)
      const tree = decode(codec, fromHex(vector.tree))
      expect(hex(encode(codec, tree))).toBe(vector.tree)
      vector.tree_hashes.forEach((expected, node) => expect(hex(tree.treeHash(node))).toBe(expected))
      vector.resolutions.forEach((expected, node) => expect(tree.resolution(node)).toEqual(expected))
      verifyParentHashes(tree, by.hash)
      verifyUnmergedLeaves(tree)
      if (by.id !== 1 && by.id !== 3) continue
      for (const [leafIndex, leaf] of tree.leaves())
        expect(await verifyLeafSignature(by, leaf, { groupId: fromHex(vector.group_id), leafIndex })).toBe(true)
    }
  },
)

interface Operation {
  cipher_suite: number
  proposal: string
  proposal_sender: number
  tree_after: string
  tree_before: string
  tree_hash_after: string
  tree_hash_before: string
}

vectorTest<Operation>(
  'mls/tree-operations.json',
  'adds, updates and removes change the tree as the official vectors say',
  async (vectors) => {
    for (const vector of vectors) {
      const codec = RatchetTree.codec(suiteOf(vector.cipher_suite).hash)
      const before = decode(codec, fromHex(vector.tree_before))
      expect(hex(before.treeHash())).toBe(vector.tree_hash_before)
      const after = before.clone()
      const proposal = decode(proposalCodec, fromHex(vector.proposal))
      if (proposal.kind === 'add') after.add(proposal.keyPackage.leaf)
      if (proposal.kind === 'update') after.update(vector.proposal_sender, proposal.leaf)
      if (proposal.kind === 'remove') {
        after.remove(proposal.removed)
        after.truncate()
      }
      expect(hex(encode(codec, after))).toBe(vector.tree_after)
      expect(hex(after.treeHash())).toBe(vector.tree_hash_after)
      expect(hex(encode(codec, before))).toBe(vector.tree_before)
    }
  },
)

test("B-125: a tree that ends blank, or has a leaf in a parent's place, is malformed", () => {
  const codec = RatchetTree.codec(suiteOf(1).hash)
  for (const nodes of [[], [0], [1, 2, 0, 0, 0], [0, 1, 2, 0, 0, 0, 0]]) {
    const encoded = Uint8Array.from([nodes.length, ...nodes])
    expect(() => decode(codec, encoded)).toThrow(expect.objectContaining({ reason: 'malformed' }))
  }
})
