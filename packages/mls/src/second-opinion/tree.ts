/** The ratchet tree as a tree: branches that hold branches, hashed anew whenever a hash is asked for (RFC 9420 section 7). */
import { digest } from './primitives.ts'
import type { Suite } from './primitives.ts'
import { join, opaque, readLeaf, uint } from './wire.ts'
import type { Cursor, Leaf, Path } from './wire.ts'

export interface LeafPlace {
  readonly kind: 'leaf'
  readonly index: number
  leaf: Leaf | undefined
}

export interface Parent {
  readonly encryptionKey: Uint8Array
  readonly parentHash: Uint8Array
  readonly unmerged: readonly number[]
}

export interface Branch {
  readonly kind: 'branch'
  readonly left: Node
  readonly right: Node
  parent: Parent | undefined
}

export type Node = LeafPlace | Branch

/** A blank tree over `count` leaves, a power of two, the first of which is `first`. */
const blank = (first: number, count: number): Node =>
  count === 1
    ? { kind: 'leaf', index: first, leaf: undefined }
    : { kind: 'branch', left: blank(first, count / 2), right: blank(first + count / 2, count / 2), parent: undefined }

export const copyOf = (node: Node): Node =>
  node.kind === 'leaf' ? { ...node } : { ...node, left: copyOf(node.left), right: copyOf(node.right) }

/** All places of leaves, from left to right. */
export const places = (node: Node): LeafPlace[] => (node.kind === 'leaf' ? [node] : [...places(node.left), ...places(node.right)])

/** Nodes in the order of the array form (appendix C): left half, the node, right half. */
const inOrder = (node: Node): Node[] => (node.kind === 'leaf' ? [node] : [...inOrder(node.left), node, ...inOrder(node.right)])

/** The content of a ratchet_tree extension (section 12.4.3.3). */
export const readTree = (from: Cursor): Node => {
  const nodes = from.list((each) =>
    each.maybe((inner) => {
      if (inner.uint(1) === 1) return readLeaf(inner)
      const key = inner.opaque()
      return { encryptionKey: key, parentHash: inner.opaque(), unmerged: inner.list((leaf) => leaf.uint(4)) }
    }),
  )
  let count = 1
  while (2 * count - 1 < nodes.length) count *= 2
  const tree = blank(0, count)
  inOrder(tree).forEach((place, at) => {
    const node = nodes[at]
    if (!node) return
    if (place.kind === 'leaf' && 'raw' in node) place.leaf = node
    else if (place.kind === 'branch' && 'unmerged' in node) place.parent = node
    else throw new Error('second opinion: a node of the wrong kind')
  })
  return tree
}

/** The branches above a leaf, from the root down, each with the child that is off the way. */
export const wayTo = (node: Node, leafIndex: number): { branch: Branch; off: Node }[] => {
  if (node.kind === 'leaf') return []
  const [on, off] = covers(node.left, leafIndex) ? [node.left, node.right] : [node.right, node.left]
  return [{ branch: node, off }, ...wayTo(on, leafIndex)]
}

export const covers = (node: Node, leafIndex: number): boolean =>
  node.kind === 'leaf' ? node.index === leafIndex : covers(node.left, leafIndex) || covers(node.right, leafIndex)

export const placeOf = (tree: Node, leafIndex: number): LeafPlace => {
  const place = places(tree)[leafIndex]
  if (!place) throw new Error(`second opinion: no leaf ${leafIndex}`)
  return place
}

export const leafOf = (tree: Node, leafIndex: number): Leaf => {
  const { leaf } = placeOf(tree, leafIndex)
  if (!leaf) throw new Error(`second opinion: leaf ${leafIndex} is blank`)
  return leaf
}

/** Something that can be encrypted to: a leaf (with its index) or a parent. */
export interface Recipient {
  readonly leafIndex: number | undefined
  readonly encryptionKey: Uint8Array
}

/** Section 4.1.1. */
export const resolution = (node: Node, root: Node): Recipient[] => {
  if (node.kind === 'leaf') return node.leaf ? [{ leafIndex: node.index, encryptionKey: node.leaf.encryptionKey }] : []
  if (!node.parent) return [...resolution(node.left, root), ...resolution(node.right, root)]
  const own: Recipient = { leafIndex: undefined, encryptionKey: node.parent.encryptionKey }
  return [own, ...node.parent.unmerged.map((index) => ({ leafIndex: index, encryptionKey: leafOf(root, index).encryptionKey }))]
}

const blankWay = (tree: Node, leafIndex: number): void => {
  for (const { branch } of wayTo(tree, leafIndex)) branch.parent = undefined
}

/** An Update (section 12.1.2) or, with an undefined leaf, a Remove (section 12.1.3). */
export const replace = (tree: Node, leafIndex: number, leaf: Leaf | undefined): void => {
  blankWay(tree, leafIndex)
  placeOf(tree, leafIndex).leaf = leaf
}

/** Drops right halves without leaves (section 7.7). */
export const truncated = (tree: Node): Node =>
  tree.kind === 'branch' && places(tree.right).every(({ leaf }) => !leaf) ? truncated(tree.left) : tree

/** The leftmost blank leaf; a full tree is doubled first (section 7.7). */
export const room = (tree: Node): { tree: Node; index: number } => {
  const all = places(tree)
  const free = all.find(({ leaf }) => !leaf)
  if (free) return { tree, index: free.index }
  return { tree: { kind: 'branch', left: tree, right: blank(all.length, all.length), parent: undefined }, index: all.length }
}

/** An Add (section 12.1.1). */
export const added = (before: Node, leaf: Leaf): { tree: Node; index: number } => {
  const { tree, index } = room(before)
  for (const { branch } of wayTo(tree, index)) {
    const { parent } = branch
    if (parent) branch.parent = { ...parent, unmerged: [...parent.unmerged, index].toSorted((a, b) => a - b) }
  }
  placeOf(tree, index).leaf = leaf
  return { tree, index }
}

/** Section 7.8. */
export const treeHash = (suite: Suite, node: Node): Uint8Array => {
  if (node.kind === 'leaf') {
    const leaf = node.leaf ? join(Uint8Array.of(1), node.leaf.raw) : Uint8Array.of(0)
    return digest(suite.hash, join(Uint8Array.of(1), uint(node.index, 4), leaf))
  }
  const { parent, left, right } = node
  const own = parent
    ? join(
        Uint8Array.of(1),
        opaque(parent.encryptionKey),
        opaque(parent.parentHash),
        opaque(join(...parent.unmerged.map((each) => uint(each, 4)))),
      )
    : Uint8Array.of(0)
  return digest(suite.hash, join(Uint8Array.of(2), own, opaque(treeHash(suite, left)), opaque(treeHash(suite, right))))
}

/** One branch of a filtered direct path (section 4.1.2). */
export interface Step {
  readonly branch: Branch
  readonly off: Node
  readonly recipients: readonly Recipient[]
}

/** Merges a path (section 7.5) and gives its steps from the leaf up, with who can open each. Throws when the parent hashes do not chain. */
export const placePath = (suite: Suite, tree: Node, path: { from: number; content: Path; newcomers: ReadonlySet<number> }): Step[] => {
  const { from, content, newcomers } = path
  replace(tree, from, content.leaf)
  const steps = wayTo(tree, from)
    .map(({ branch, off }) => ({ branch, off, recipients: resolution(off, tree) }))
    .filter(({ recipients }) => recipients.length > 0)
  if (steps.length !== content.nodes.length) throw new Error('second opinion: path of the wrong length')
  const keys = content.nodes.map(({ encryptionKey }) => encryptionKey).toReversed()
  let parentHash: Uint8Array = new Uint8Array()
  steps.forEach(({ branch, off }, at) => {
    const encryptionKey = keys[at] ?? new Uint8Array()
    branch.parent = { encryptionKey, parentHash, unmerged: [] }
    parentHash = digest(suite.hash, join(opaque(encryptionKey), opaque(parentHash), opaque(treeHash(suite, off))))
  })
  if (Buffer.compare(parentHash, content.leaf.parentHash) !== 0) throw new Error('second opinion: parent hash differs')
  return steps.toReversed().map((step) => ({
    ...step,
    recipients: step.recipients.filter(({ leafIndex }) => leafIndex === undefined || !newcomers.has(leafIndex)),
  }))
}
