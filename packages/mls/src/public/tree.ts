/**
 * The ratchet tree (RFC 9420 section 7 and appendix C): nodes by index, with every subtree's hash cached. A tree that a
 * group holds is never edited; edits are made on a `clone()`, which shares all nodes and all hashes that stay valid.
 */
import type { Bytes } from '../port.ts'
import type { Hash } from '../crypto/hash.ts'
import { inBatches } from '../crypto/in-batches.ts'
import { MlsError } from '../errors.ts'
import { choice, encode, jointVector, opaque, optional, remembered, select, struct, uint32, uint8, vector } from './codec.ts'
import type { Codec } from './codec.ts'
import { keyCodec, leafNodeCodec } from './leaf-node.ts'
import type { LeafNode } from './leaf-node.ts'
import { MAX_LEAVES } from './proposal.ts'
import {
  blanks,
  directPath,
  fullLeafCount,
  isLeafNode,
  isUnder,
  leafToNode,
  leftOf,
  nodeWidth,
  rightOf,
  rootOf,
  siblingOf,
} from './tree-math.ts'

export interface ParentNode {
  readonly encryptionKey: Bytes
  readonly parentHash: Bytes
  /** Leaf indexes in increasing order. */
  readonly unmergedLeaves: readonly number[]
}

type TreeNode = { readonly kind: 'leaf'; readonly leaf: LeafNode } | { readonly kind: 'parent'; readonly parent: ParentNode }

const leafIndexes = vector(uint32, MAX_LEAVES)
const increasing: Codec<readonly number[]> = {
  read: (from) => {
    const list = leafIndexes.read(from)
    if (list.some((leaf, at) => at > 0 && leaf <= (list[at - 1] ?? 0))) throw new MlsError('malformed', 'unmerged leaves are not in order')
    return list
  },
  write: (to, list) => leafIndexes.write(to, list),
}

const parentCodec = remembered(struct<ParentNode>({ encryptionKey: keyCodec, parentHash: opaque(255), unmergedLeaves: increasing }))
/** Node of RFC 9420 section 12.4.3.3. */
export const nodeCodec: Codec<TreeNode> = select<TreeNode>(choice(uint8, { leaf: 1, parent: 2 }, 'node type', 'malformed'), {
  leaf: struct({ leaf: leafNodeCodec }),
  parent: struct({ parent: parentCodec }),
})
const nodesCodec = jointVector(optional(nodeCodec), 2 * MAX_LEAVES)
const hashCodec = opaque(255)

/** How an `optional<Node>` begins: a presence octet, and a type if there is a node. */
const [BLANK, LEAF, PARENT] = [Uint8Array.of(0), Uint8Array.of(1, 1), Uint8Array.of(1, 2)]

/** One step of a filtered direct path (RFC 9420 section 4.1.2): a node and its child off the path. */
export interface PathStep {
  readonly node: number
  readonly copath: number
}

/** The tree of a group (RFC 9420 sections 4 and 7), in the array form of appendix C. */
export class RatchetTree {
  readonly #hash: Hash
  #leaves: (LeafNode | undefined)[]
  /** The parent with index `2i + 1` stands at `i`. */
  #parents: (ParentNode | undefined)[]
  /** By node index. */
  #hashes: (Bytes | undefined)[]

  private constructor(hash: Hash, leaves: (LeafNode | undefined)[], parents: (ParentNode | undefined)[], hashes: (Bytes | undefined)[]) {
    this.#hash = hash
    this.#leaves = leaves
    this.#parents = parents
    this.#hashes = hashes
  }

  /** A tree of one leaf. */
  static of(hash: Hash, leaf: LeafNode): RatchetTree {
    return new RatchetTree(hash, [leaf], [], [])
  }

  /** From the nodes of a `ratchet_tree` extension (RFC 9420 section 12.4.3.3). */
  static #fromNodes(hash: Hash, nodes: readonly (TreeNode | undefined)[]): RatchetTree {
    if (nodes.at(-1) === undefined) throw new MlsError('malformed', 'ratchet tree is empty or ends with a blank')
    const leafCount = fullLeafCount((nodes.length + 1) / 2)
    const leaves: (LeafNode | undefined)[] = blanks(leafCount)
    const parents: (ParentNode | undefined)[] = blanks(leafCount - 1)
    nodes.forEach((node, index) => {
      if (node === undefined) return
      if ((node.kind === 'leaf') !== isLeafNode(index)) throw new MlsError('malformed', `${node.kind} in the place of another kind of node`)
      if (node.kind === 'leaf') leaves[index / 2] = node.leaf
      else parents[(index - 1) / 2] = node.parent
    })
    if (leafCount > 1 && leaves.findLastIndex(Boolean) < leafCount / 2) throw new MlsError('malformed', 'ratchet tree could be smaller')
    return new RatchetTree(hash, leaves, parents, [])
  }

  /** The codec of the `ratchet_tree` extension. */
  static codec(hash: Hash): Codec<RatchetTree> {
    return {
      read: (from) => RatchetTree.#fromNodes(hash, nodesCodec.read(from)),
      write: (to, tree) => {
        const parts = tree.#encodedNodes()
        to.expect(parts.reduce((sum, part) => sum + part.length, 4))
        to.vector(() => parts.forEach((part) => to.raw(part)))
      },
    }
  }

  /** What stands before each node, and the node if it is not blank; up to the last that is not. */
  #encodedNodes(): Bytes[] {
    const parts: Bytes[] = []
    for (let node = 0; node < nodeWidth(this.leafCount); node++) {
      const leaf = isLeafNode(node) ? this.#leaves[node / 2] : undefined
      const parent = isLeafNode(node) ? undefined : this.parent(node)
      if (leaf) parts.push(LEAF, leafNodeCodec.bytesOf(leaf))
      else if (parent) parts.push(PARENT, parentCodec.bytesOf(parent))
      else parts.push(BLANK)
    }
    while (parts.at(-1) === BLANK) parts.pop()
    return parts
  }

  clone(): RatchetTree {
    return new RatchetTree(this.#hash, this.#leaves.slice(), this.#parents.slice(), this.#hashes.slice())
  }

  /** Always a power of two. */
  get leafCount(): number {
    return this.#leaves.length
  }

  get root(): number {
    return rootOf(this.leafCount)
  }

  /** Undefined when blank or out of range, whatever the number. */
  leaf(leafIndex: number): LeafNode | undefined {
    return this.#leaves[leafIndex]
  }

  parent(node: number): ParentNode | undefined {
    return this.#parents[(node - 1) / 2]
  }

  publicKeyOf(node: number): Bytes | undefined {
    return (isLeafNode(node) ? this.leaf(node / 2) : this.parent(node))?.encryptionKey
  }

  /** By leaf index, blank ones as undefined. */
  allLeaves(): (LeafNode | undefined)[] {
    return this.#leaves.slice()
  }

  /** Occupied leaves in leaf order. */
  *leaves(): Generator<readonly [leafIndex: number, leaf: LeafNode]> {
    for (let leafIndex = 0; leafIndex < this.#leaves.length; leafIndex++) {
      const leaf = this.#leaves[leafIndex]
      if (leaf) yield [leafIndex, leaf]
    }
  }

  /** Non-blank parents in node order. */
  *parents(): Generator<readonly [node: number, parent: ParentNode]> {
    for (let at = 0; at < this.#parents.length; at++) {
      const parent = this.#parents[at]
      if (parent) yield [2 * at + 1, parent]
    }
  }

  #forgetHashes(node: number): void {
    this.#hashes[node] = undefined
    for (const above of directPath(node, this.leafCount)) this.#hashes[above] = undefined
  }

  setLeaf(leafIndex: number, leaf: LeafNode | undefined): void {
    this.#leaves[leafIndex] = leaf
    this.#forgetHashes(leafToNode(leafIndex))
  }

  setParent(node: number, parent: ParentNode | undefined): void {
    this.#parents[(node - 1) / 2] = parent
    this.#forgetHashes(node)
  }

  /** Blanks every node above a leaf. */
  blankPath(leafIndex: number): void {
    for (const node of directPath(leafToNode(leafIndex), this.leafCount)) this.#parents[(node - 1) / 2] = undefined
    this.#forgetHashes(leafToNode(leafIndex))
  }

  /** The leftmost blank leaf, extending the tree when there is none (RFC 9420 section 7.7). */
  claimLeaf(): number {
    const blank = this.#leaves.indexOf(undefined)
    if (blank !== -1) return blank
    const count = this.leafCount
    if (2 * count > MAX_LEAVES) throw new MlsError('too_large', `more than ${MAX_LEAVES} leaves`)
    this.#leaves = [...this.#leaves, ...blanks(count)]
    this.#parents = [...this.#parents, ...blanks(count)]
    return count
  }

  /** Applies an Add (RFC 9420 section 12.1.1) and returns the new leaf's index. */
  add(leaf: LeafNode): number {
    const leafIndex = this.claimLeaf()
    for (const node of directPath(leafToNode(leafIndex), this.leafCount)) {
      const parent = this.parent(node)
      if (!parent) continue
      const unmergedLeaves = [...parent.unmergedLeaves, leafIndex].toSorted((a, b) => a - b)
      this.setParent(node, { ...parent, unmergedLeaves })
    }
    this.setLeaf(leafIndex, leaf)
    return leafIndex
  }

  /** Applies an Update (RFC 9420 section 12.1.2). */
  update(leafIndex: number, leaf: LeafNode): void {
    this.blankPath(leafIndex)
    this.setLeaf(leafIndex, leaf)
  }

  /** Applies a Remove (RFC 9420 section 12.1.3), except for truncating the tree. */
  remove(leafIndex: number): void {
    this.blankPath(leafIndex)
    this.setLeaf(leafIndex, undefined)
  }

  /** Drops blank right halves (RFC 9420 section 7.7). */
  truncate(): void {
    const count = fullLeafCount(this.#leaves.findLastIndex(Boolean) + 1)
    if (count === this.leafCount) return
    this.#leaves.length = count
    this.#parents.length = count - 1
    this.#hashes.length = Math.min(this.#hashes.length, nodeWidth(count))
  }

  /** RFC 9420 section 4.1.1. */
  resolution(node: number): number[] {
    if (isLeafNode(node)) return this.leaf(node / 2) ? [node] : []
    const parent = this.parent(node)
    if (parent) return [node, ...parent.unmergedLeaves.map(leafToNode)]
    return [...this.resolution(leftOf(node)), ...this.resolution(rightOf(node))]
  }

  /** Whether nothing below this node (nor itself) can be encrypted to. */
  #isEmpty(node: number): boolean {
    if (isLeafNode(node)) return this.leaf(node / 2) === undefined
    return this.parent(node) === undefined && this.#isEmpty(leftOf(node)) && this.#isEmpty(rightOf(node))
  }

  /** RFC 9420 section 4.1.2, from the leaf up. */
  filteredDirectPath(leafIndex: number): PathStep[] {
    const steps: PathStep[] = []
    let below = leafToNode(leafIndex)
    for (const node of directPath(below, this.leafCount)) {
      const copath = siblingOf(below)
      if (!this.#isEmpty(copath)) steps.push({ node, copath })
      below = node
    }
    return steps
  }

  /** Tree hash of a node (RFC 9420 section 7.8); of the whole tree by default. */
  treeHash(node: number = this.root): Bytes {
    const known = this.#hashes[node]
    if (known) return known
    const made = this.#computeHash(node, NOBODY)
    this.#hashes[node] = made
    return made
  }

  /** Tree hash of a node as if these leaves had never been added (`original_sibling_tree_hash`, RFC 9420 section 7.9). */
  treeHashWithout(node: number, absent: ReadonlySet<number>): Bytes {
    for (const leaf of absent) if (isUnder(leafToNode(leaf), node)) return this.#computeHash(node, absent)
    return this.treeHash(node)
  }

  #computeHash(node: number, absent: ReadonlySet<number>): Bytes {
    if (isLeafNode(node)) return this.#hash.digest(...leafHashInput(node / 2, absent.has(node / 2) ? undefined : this.leaf(node / 2)))
    const parent = this.parent(node)
    const unmergedLeaves = parent?.unmergedLeaves.filter((leaf) => !absent.has(leaf)) ?? []
    const hashOf = (child: number): Bytes => (absent.size === 0 ? this.treeHash(child) : this.treeHashWithout(child, absent))
    return this.#hash.digest(
      encode(parentHashInput, {
        type: 2,
        parent: parent && { ...parent, unmergedLeaves },
        left: hashOf(leftOf(node)),
        right: hashOf(rightOf(node)),
      }),
    )
  }

  /**
   * Hashes the leaves that were not hashed yet, in the way that is fastest for a kilobyte each. Not needed for a tree hash,
   * which does it too, and not to be called while the tree is edited.
   */
  async hashLeaves(): Promise<void> {
    const unknown: number[] = []
    for (let leafIndex = 0; leafIndex < this.leafCount; leafIndex++)
      if (this.#leaves[leafIndex] && !this.#hashes[leafToNode(leafIndex)]) unknown.push(leafIndex)
    if (unknown.length < FEW) return
    await inBatches(unknown, async (leafIndex) => {
      this.#hashes[leafToNode(leafIndex)] = await this.#hash.longDigest(...leafHashInput(leafIndex, this.leaf(leafIndex)))
    })
  }
}

/** So few are hashed in no time. */
const FEW = 16

const NOBODY: ReadonlySet<number> = new Set()

/** TreeHashInput of a leaf (RFC 9420 section 7.8): its encoding stands at the end. */
const leafHashInput = (leafIndex: number, leaf: LeafNode | undefined): readonly Bytes[] => {
  const head = Uint8Array.of(1, leafIndex >>> 24, leafIndex >>> 16, leafIndex >>> 8, leafIndex, leaf ? 1 : 0)
  return leaf ? [head, leafNodeCodec.bytesOf(leaf)] : [head]
}

interface ParentHashInput {
  readonly type: number
  readonly parent: ParentNode | undefined
  readonly left: Bytes
  readonly right: Bytes
}

/** TreeHashInput of a parent. */
const parentHashInput = struct<ParentHashInput>({ type: uint8, parent: optional(parentCodec), left: hashCodec, right: hashCodec })
