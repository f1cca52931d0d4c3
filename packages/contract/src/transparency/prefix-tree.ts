/**
 * The map from label to what it stands for now, as a binary Merkle tree over the labels' bits: the newest version of a label
 * is in one place, and nobody can be shown another one under the same root.
 *
 * A label stands as high as no other shares its prefix. Labels are only ever added or replaced, so one set of labels has one
 * tree, whatever the order. Hashes: leaf SHA-256(2 ‖ label ‖ version ‖ list hash), fork SHA-256(3 ‖ left ‖ right), nothing 32 zeros.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '../bytes.ts'
import { hashFork as hashTagged } from './hash-fork.ts'

/** What a label stands for: a version of a device list, by its hash (SHA-256). */
export interface Placed {
  /** 32 bytes. */
  readonly label: Uint8Array
  readonly version: number
  readonly list: Uint8Array
}

export type PrefixNode =
  | ({ readonly kind: 'leaf'; readonly hash: Uint8Array } & Placed)
  | { readonly kind: 'fork'; readonly hash: Uint8Array }

/** By prefix, written as text of 0 and 1; the root's is empty. */
export interface PrefixNodes {
  get(prefix: string): PrefixNode | undefined
  set(prefix: string, node: PrefixNode): void
}

const LEAF = Uint8Array.of(2)
export const FORK = 3
export const NOTHING = new Uint8Array(32)

/** The root of a tree. */
export const prefixRoot = (nodes: PrefixNodes): Uint8Array => nodes.get('')?.hash ?? NOTHING

/** Puts what a label stands for now in its place. Returns the new root, and the version that stood there. */
export function place(nodes: PrefixNodes, placed: Placed): { readonly root: Uint8Array; readonly before: number | undefined } {
  const bits = bitsOf(placed.label)
  let depth = depthOf(nodes, bits)
  let before: number | undefined
  const there = nodes.get(bits.slice(0, depth))
  if (there?.kind === 'leaf') {
    const others = bitsOf(there.label)
    if (others === bits) before = there.version
    else {
      while (bits[depth] === others[depth]) depth++
      depth++
      nodes.set(others.slice(0, depth), there)
    }
  }
  let hash = hashPlaced(placed)
  nodes.set(bits.slice(0, depth), { kind: 'leaf', hash, ...placed })
  for (let at = depth - 1; at >= 0; at--) {
    const sibling = hashAt(nodes, siblingOf(bits, at))
    hash = bits[at] === '0' ? hashFork(hash, sibling) : hashFork(sibling, hash)
    nodes.set(bits.slice(0, at), { kind: 'fork', hash })
  }
  return { root: hash, before }
}

/** What a label stands for, and the siblings from the root down that prove it; undefined for a label that is not there. */
export function find(nodes: PrefixNodes, label: Uint8Array): { readonly placed: Placed; readonly path: readonly Uint8Array[] } | undefined {
  const bits = bitsOf(label)
  const depth = depthOf(nodes, bits)
  const there = nodes.get(bits.slice(0, depth))
  if (there?.kind !== 'leaf' || bitsOf(there.label) !== bits) return undefined
  const path = Array.from({ length: depth }, (_, at) => hashAt(nodes, siblingOf(bits, at)))
  return { placed: there, path }
}

/** The root that a path leads to. */
export function rootByPlace(placed: Placed, path: readonly Uint8Array[]): Uint8Array | undefined {
  if (path.length > 256) return undefined
  const bits = bitsOf(placed.label)
  return path.reduceRight(
    (below, sibling, at) => (bits[at] === '0' ? hashFork(below, sibling) : hashFork(sibling, below)),
    hashPlaced(placed),
  )
}

/** Every prefix that placing or finding a label may ask for, down to a depth. */
export function prefixesOf(label: Uint8Array, deepest: number): string[] {
  const bits = bitsOf(label)
  return ['', ...Array.from({ length: deepest }, (_, at) => [bits.slice(0, at + 1), siblingOf(bits, at)]).flat()]
}

const siblingOf = (bits: string, at: number): string => bits.slice(0, at) + (bits[at] === '0' ? '1' : '0')

/** How deep one can follow the forks. */
function depthOf(nodes: PrefixNodes, bits: string): number {
  let depth = 0
  while (nodes.get(bits.slice(0, depth))?.kind === 'fork') depth++
  return depth
}

const hashAt = (nodes: PrefixNodes, prefix: string): Uint8Array => nodes.get(prefix)?.hash ?? NOTHING
const hashFork = (left: Uint8Array, right: Uint8Array): Uint8Array => hashTagged(FORK, left, right)

export function hashPlaced({ label, version, list }: Placed): Uint8Array {
  const number = new Uint8Array(8)
  new DataView(number.buffer).setBigUint64(0, BigInt(version))
  return sha256(concatBytes(LEAF, label, number, list))
}

const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(2).padStart(8, '0'))

const bitsOf = (label: Uint8Array): string => {
  let bits = ''
  for (const byte of label) bits += BYTES[byte]
  return bits
}
