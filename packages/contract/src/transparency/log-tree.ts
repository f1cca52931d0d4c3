/**
 * The Merkle tree over the entries of a log, and the two proofs that make it append-only: that an entry is in it, and that
 * a later log begins with an earlier one (RFC 9162 section 2.1, with SHA-256).
 *
 * What is stored are the nodes of complete subtrees, which never change. Making a proof says first which of them it needs.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes } from '../bytes.ts'
import { hashFork as hashTagged } from './hash-fork.ts'

/** A complete subtree: the entries from `index * 2^level` on, `2^level` of them. */
export interface NodeId {
  readonly level: number
  readonly index: number
}

/** Entries from `from` up to and without `to`. */
export interface Range {
  readonly from: number
  readonly to: number
}

export type NodeHash = (node: NodeId) => Uint8Array

const LEAF = Uint8Array.of(0)
const FORK = 1

export const hashLeaf = (entry: Uint8Array): Uint8Array => sha256(concatBytes(LEAF, entry))
const hashFork = (left: Uint8Array, right: Uint8Array): Uint8Array => hashTagged(FORK, left, right)

/** The subtrees that become complete with entry number `size` (from 0): its leaf first. `node` knows the complete ones before it. */
export function completedBy({ size, leaf, node }: { size: number; leaf: Uint8Array; node: NodeHash }): (NodeId & { hash: Uint8Array })[] {
  const completed = [{ level: 0, index: size, hash: leaf }]
  let hash = leaf
  for (let level = 0, index = size; index % 2 === 1; level++) {
    hash = hashFork(node({ level, index: index - 1 }), hash)
    index = (index - 1) / 2
    completed.push({ level: level + 1, index, hash })
  }
  return completed
}

/** The left neighbours that `completedBy` asks for. */
export function neighboursOf(size: number): NodeId[] {
  const neighbours: NodeId[] = []
  for (let level = 0, index = size; index % 2 === 1; level++, index = (index - 1) / 2) neighbours.push({ level, index: index - 1 })
  return neighbours
}

/** The complete subtrees of a range that begins where one of at least its size may begin: what its hash is made of, largest first. */
export function nodesOf({ from, to }: Range): NodeId[] {
  const nodes: NodeId[] = []
  for (let at = from; at < to;) {
    const size = largestPowerUpTo(to - at)
    nodes.push({ level: Math.log2(size), index: at / size })
    at += size
  }
  return nodes
}

/** MTH of a range of entries. */
export function hashRange(range: Range, node: NodeHash): Uint8Array {
  const hashes = nodesOf(range).map(node)
  const last = hashes.pop()
  if (!last) throw new RangeError('a range without entries has no hash')
  return hashes.reduceRight((right, left) => hashFork(left, right), last)
}

/** The ranges whose hashes prove that entry `at` is in the log of `size` entries, the one next to it first. */
export function inclusionPath(at: number, size: number): Range[] {
  return descend({ from: 0, to: size }, at)
}

function descend({ from, to }: Range, at: number): Range[] {
  if (to - from === 1) return []
  const middle = from + splitOf(to - from)
  return at < middle
    ? [...descend({ from, to: middle }, at), { from: middle, to }]
    : [...descend({ from: middle, to }, at), { from, to: middle }]
}

/** The root that a path leads to; undefined when the path cannot belong to such a place. */
export function rootByInclusion(claim: {
  readonly at: number
  readonly size: number
  readonly leaf: Uint8Array
  readonly path: readonly Uint8Array[]
}): Uint8Array | undefined {
  const { at, size, leaf, path } = claim
  if (at < 0 || at >= size) return undefined
  if (size === 1) return path.length === 0 ? leaf : undefined
  const sibling = path.at(-1)
  if (!sibling) return undefined
  const middle = splitOf(size)
  const isLeft = at < middle
  const below = rootByInclusion(
    isLeft ? { at, size: middle, leaf, path: path.slice(0, -1) } : { at: at - middle, size: size - middle, leaf, path: path.slice(0, -1) },
  )
  if (!below) return undefined
  return isLeft ? hashFork(below, sibling) : hashFork(sibling, below)
}

/** The ranges whose hashes prove that the log of `later` entries begins with that of `earlier`. Both at least 1. */
export function consistencyPath(earlier: number, later: number): Range[] {
  return subproof({ from: 0, to: later }, earlier, true)
}

function subproof({ from, to }: Range, earlier: number, isWhole: boolean): Range[] {
  if (earlier === to) return isWhole ? [] : [{ from, to }]
  const middle = from + splitOf(to - from)
  return earlier <= middle
    ? [...subproof({ from, to: middle }, earlier, isWhole), { from: middle, to }]
    : [...subproof({ from: middle, to }, earlier, false), { from, to: middle }]
}

export interface LogState {
  readonly size: number
  readonly root: Uint8Array
}

/** Whether the path proves that `later` begins with `earlier`. Every log begins with the empty one. */
export function isConsistent(claim: { earlier: LogState; later: LogState; path: readonly Uint8Array[] }): boolean {
  const { earlier, later, path } = claim
  if (earlier.size > later.size) return false
  if (earlier.size === 0) return path.length === 0
  const roots = rootsByConsistency({ earlier: earlier.size, later: later.size, isWhole: true, known: earlier.root, path })
  return roots !== undefined && equalBytes(roots.earlier, earlier.root) && equalBytes(roots.later, later.root)
}

interface Step {
  readonly earlier: number
  readonly later: number
  readonly isWhole: boolean
  readonly known: Uint8Array
  readonly path: readonly Uint8Array[]
}

function rootsByConsistency({ earlier, later, isWhole, known, path }: Step): { earlier: Uint8Array; later: Uint8Array } | undefined {
  if (earlier === later) {
    const whole = isWhole ? known : path[0]
    return whole && path.length === (isWhole ? 0 : 1) ? { earlier: whole, later: whole } : undefined
  }
  const sibling = path.at(-1)
  if (!sibling) return undefined
  const middle = splitOf(later)
  const rest = path.slice(0, -1)
  if (earlier <= middle) {
    const below = rootsByConsistency({ earlier, later: middle, isWhole, known, path: rest })
    return below && { earlier: below.earlier, later: hashFork(below.later, sibling) }
  }
  const below = rootsByConsistency({ earlier: earlier - middle, later: later - middle, isWhole: false, known, path: rest })
  return below && { earlier: hashFork(sibling, below.earlier), later: hashFork(sibling, below.later) }
}

/** The largest power of two below `size`: how many entries are in the left half. */
const splitOf = (size: number): number => largestPowerUpTo(size - 1)

function largestPowerUpTo(count: number): number {
  let power = 1
  while (power * 2 <= count) power *= 2
  return power
}
