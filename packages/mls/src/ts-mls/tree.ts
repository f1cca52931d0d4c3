/**
 * Our own validation of a ratchet tree (RFC 9420 sections 7.9 and 12.4.3.1). `ts-mls` has one, which refuses valid trees: it
 * wants equal `unmerged_leaves` lists on every ancestor. It also never compares private path keys with the tree.
 */
import type { LeafNode, PrivateKeyPath, RatchetTree } from 'ts-mls'
import { verifyLeafNodeSignature, verifyLeafNodeSignatureKeyPackage } from 'ts-mls/leafNode.js'
import type { LeafNodeKeyPackage } from 'ts-mls'
import { encodeParentHashInput } from 'ts-mls/parentHash.js'
import { removeLeaves, resolution } from 'ts-mls/ratchetTree.js'
import { encodeTreeHashInput } from 'ts-mls/treeHash.js'
import {
  directPath,
  isAncestor,
  isLeaf,
  leafToNodeIndex,
  leafWidth,
  left,
  nodeToLeafIndex,
  right,
  rootFromNodeWidth,
  toLeafIndex,
  toNodeIndex,
} from 'ts-mls/treemath.js'
import type { NodeIndex } from 'ts-mls/treemath.js'
import type { Hash } from 'ts-mls'
import { MlsError } from '../errors.ts'
import type { Bytes } from '../port.ts'
import { expectKemKey } from './keys.ts'
import { expectLeaf } from './leaf.ts'
import { LIMITS } from './suite.ts'
import type { Suite } from './suite.ts'
import { sameBytes } from './wire.ts'

type ParentNode = Extract<NonNullable<RatchetTree[number]>, { nodeType: 'parent' }>['parent']

/** The occupied leaves with their leaf indexes, in order. */
export const leavesOf = (tree: RatchetTree): { readonly leafIndex: number; readonly leaf: LeafNode }[] =>
  tree.flatMap((node, index) => (node?.nodeType === 'leaf' ? [{ leafIndex: nodeToLeafIndex(toNodeIndex(index)), leaf: node.leaf }] : []))

/** The leaf at a leaf index; undefined when blank or out of range, whatever the number. */
export const leafAt = (tree: RatchetTree, leafIndex: number): LeafNode | undefined => {
  const node = tree[leafToNodeIndex(toLeafIndex(leafIndex))]
  return node?.nodeType === 'leaf' ? node.leaf : undefined
}

const parentsOf = (tree: RatchetTree): { readonly index: NodeIndex; readonly parent: ParentNode }[] =>
  tree.flatMap((node, index) => (node?.nodeType === 'parent' ? [{ index: toNodeIndex(index), parent: node.parent }] : []))

/** Everything that a joiner must check of a tree it was given, but for the credentials. */
export const expectTree = async (
  suite: Suite,
  tree: RatchetTree,
  expected: { readonly groupId: Bytes; readonly treeHash: Bytes },
): Promise<void> => {
  expectShape(tree)
  expectDistinctKeys(tree)
  for (const { leaf } of leavesOf(tree)) expectLeaf(suite, leaf)
  for (const { index, parent } of parentsOf(tree)) {
    expectKemKey(suite, parent.hpkePublicKey)
    expectUnmergedLeaves(tree, index, parent)
  }
  const hashes = new TreeHashes(tree, suite.cs.hash)
  if (!sameBytes(await hashes.of(rootFromNodeWidth(tree.length)), expected.treeHash)) throw new MlsError('invalid', 'tree hash')
  for (const { index, parent } of parentsOf(tree)) await expectParentHash({ tree, hashes, hash: suite.cs.hash, index, parent })
  for (const { leafIndex, leaf } of leavesOf(tree)) {
    if (!(await leafSignatureHolds(suite, leaf, { leafIndex, groupId: expected.groupId })))
      throw new MlsError('auth_failed', 'leaf signature')
  }
}

const leafSignatureHolds = (
  suite: Suite,
  leaf: LeafNode,
  place: { readonly leafIndex: number; readonly groupId: Bytes },
): Promise<boolean> =>
  isFromKeyPackage(leaf)
    ? verifyLeafNodeSignatureKeyPackage(leaf, suite.cs.signature)
    : verifyLeafNodeSignature(leaf, place.groupId, place.leafIndex, suite.cs.signature)

const isFromKeyPackage = (leaf: LeafNode): leaf is LeafNodeKeyPackage => leaf.leafNodeSource === 'key_package'

const expectShape = (tree: RatchetTree): void => {
  if (leafWidth(tree.length) > LIMITS.members) throw new MlsError('too_large', 'too many leaves')
  const misplaced = tree.some((node, index) => node !== undefined && (node.nodeType === 'leaf') !== isLeaf(toNodeIndex(index)))
  if (misplaced) throw new MlsError('invalid', 'tree has a node of the wrong kind')
}

/** No two nodes share an encryption key, no two leaves a signature key (RFC 9420 section 7.3). */
export const expectDistinctKeys = (tree: RatchetTree): void => {
  const leaves = leavesOf(tree)
  if (leaves.length > LIMITS.members) throw new MlsError('too_large', 'too many members')
  const encryptionKeys = [...leaves.map(({ leaf }) => leaf.hpkePublicKey), ...parentsOf(tree).map(({ parent }) => parent.hpkePublicKey)]
  if (!distinct(encryptionKeys)) throw new MlsError('invalid', 'an encryption key is used twice')
  if (!distinct(leaves.map(({ leaf }) => leaf.signaturePublicKey))) throw new MlsError('invalid', 'a signature key is used twice')
}

const distinct = (keys: readonly Bytes[]): boolean => new Set(keys.map((key) => String.fromCharCode(...key))).size === keys.length

/** Unmerged leaves are sorted, occupied, below the node, and listed by every occupied node in between (section 7.1). */
const expectUnmergedLeaves = (tree: RatchetTree, index: NodeIndex, parent: ParentNode): void => {
  parent.unmergedLeaves.forEach((unmerged, at) => {
    const leaf = leafToNodeIndex(toLeafIndex(unmerged))
    const ordered = at === 0 || unmerged > (parent.unmergedLeaves[at - 1] ?? 0)
    const below = leaf < tree.length && isAncestor(leaf, index, tree.length)
    if (!ordered || !below || tree[leaf] === undefined) throw new MlsError('invalid', 'unmerged leaves')
    for (const between of directPath(leaf, leafWidth(tree.length))) {
      if (between === index) break
      const node = tree[between]
      if (node?.nodeType === 'parent' && !node.parent.unmergedLeaves.includes(unmerged)) throw new MlsError('invalid', 'unmerged leaves')
    }
  })
}

interface ParentCheck {
  readonly tree: RatchetTree
  readonly hashes: TreeHashes
  readonly hash: Hash
  readonly index: NodeIndex
  readonly parent: ParentNode
}

/** A parent is valid when exactly one node below it vouches for it (RFC 9420 section 7.9.2). */
const expectParentHash = async (check: ParentCheck): Promise<void> => {
  const { index } = check
  const vouched = (await vouches(check, left(index), right(index))) || (await vouches(check, right(index), left(index)))
  if (!vouched) throw new MlsError('invalid', 'parent hash')
}

/** Whether the child's resolution, less the leaves that are unmerged at the parent, is one node carrying the parent's hash. */
const vouches = async ({ tree, hashes, hash, parent }: ParentCheck, child: NodeIndex, sibling: NodeIndex): Promise<boolean> => {
  const unmerged = new Set(parent.unmergedLeaves.map((leaf) => leafToNodeIndex(toLeafIndex(leaf))))
  const [only, ...more] = resolution(tree, child).filter((node) => !unmerged.has(node))
  if (only === undefined || more.length > 0) return false
  const carried = parentHashOf(tree[only])
  if (carried === undefined) return false
  const siblingHasUnmerged = [...unmerged].some((leaf) => leaf === sibling || isAncestor(leaf, sibling, tree.length))
  const original = siblingHasUnmerged ? new TreeHashes(removeLeaves(tree, parent.unmergedLeaves.map(toLeafIndex)), hash) : hashes
  const input = { encryptionKey: parent.hpkePublicKey, parentHash: parent.parentHash, originalSiblingTreeHash: await original.of(sibling) }
  return sameBytes(await hash.digest(encodeParentHashInput(input)), carried)
}

const parentHashOf = (node: RatchetTree[number]): Bytes | undefined => {
  if (node?.nodeType === 'parent') return node.parent.parentHash
  return node?.leaf.leafNodeSource === 'commit' ? node.leaf.parentHash : undefined
}

/** Tree hashes (RFC 9420 section 7.8), each subtree computed once. */
class TreeHashes {
  readonly #tree: RatchetTree
  readonly #hash: Hash
  readonly #known = new Map<NodeIndex, Promise<Bytes>>()

  constructor(tree: RatchetTree, hash: Hash) {
    this.#tree = tree
    this.#hash = hash
  }

  of(index: NodeIndex): Promise<Bytes> {
    const known = this.#known.get(index)
    if (known !== undefined) return known
    const fresh = this.#compute(index)
    this.#known.set(index, fresh)
    return fresh
  }

  async #compute(index: NodeIndex): Promise<Bytes> {
    const node = this.#tree[index]
    if (isLeaf(index)) {
      const leafNode = node?.nodeType === 'leaf' ? node.leaf : undefined
      return await this.#hash.digest(encodeTreeHashInput({ nodeType: 'leaf', leafIndex: nodeToLeafIndex(index), leafNode }))
    }
    const parentNode = node?.nodeType === 'parent' ? node.parent : undefined
    const leftHash = await this.of(left(index))
    const rightHash = await this.of(right(index))
    return await this.#hash.digest(encodeTreeHashInput({ nodeType: 'parent', parentNode, leftHash, rightHash }))
  }
}

/**
 * Throws unless the private keys that changed belong to the public keys in the tree (RFC 9420 section 7.5). Without this an
 * insider's commit passes and the next honest one breaks the group.
 */
export const expectMatchingKeys = async (suite: Suite, tree: RatchetTree, now: PrivateKeyPath, before?: PrivateKeyPath): Promise<void> => {
  for (const [index, privateKey] of Object.entries(now.privateKeys)) {
    const old = before?.privateKeys[Number(index)]
    const node = tree[Number(index)]
    if (node === undefined || (old !== undefined && sameBytes(old, privateKey))) continue
    const published = node.nodeType === 'leaf' ? node.leaf.hpkePublicKey : node.parent.hpkePublicKey
    if (!sameBytes(await suite.kemPublicKey(privateKey), published))
      throw new MlsError('invalid', 'path secret does not yield the published key')
  }
}

/** Drops private keys of nodes that are blank or no longer above the own leaf. */
export const prunePrivateKeys = (tree: RatchetTree, { leafIndex, privateKeys }: PrivateKeyPath): PrivateKeyPath => {
  const own = leafToNodeIndex(toLeafIndex(leafIndex))
  const live = new Set<number>([own, ...directPath(own, leafWidth(tree.length))])
  const kept = Object.entries(privateKeys).filter(([index]) => live.has(Number(index)) && tree[Number(index)] !== undefined)
  return { leafIndex, privateKeys: Object.fromEntries(kept) }
}
