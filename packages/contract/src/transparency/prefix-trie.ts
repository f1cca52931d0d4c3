/**
 * The same map as prefix-tree.ts, for who holds all of it in memory and only wants the root after each change: an auditor. Nodes know
 * their children instead of being found by name, which halves the time of an entry. A test holds the two against each other.
 */
import { equalBytes } from '../bytes.ts'
import { hashFork } from './hash-fork.ts'
import { FORK, hashPlaced, NOTHING, type Placed } from './prefix-tree.ts'

interface Leaf {
  readonly kind: 'leaf'
  readonly label: Uint8Array
  readonly version: number
  readonly hash: Uint8Array
}

interface Fork {
  readonly kind: 'fork'
  zero: Node | undefined
  one: Node | undefined
  hash: Uint8Array
}

type Node = Leaf | Fork

export class PrefixTrie {
  #root: Node | undefined
  /** The forks above the place that changes, from the root down; one list for all changes. */
  readonly #way: Fork[] = []

  /** Puts what a label stands for now in its place. Returns the new root, and the version that stood there. */
  place({ label, version, list }: Placed): { readonly root: Uint8Array; readonly before: number | undefined } {
    const way = this.#way
    way.length = 0
    let node = this.#root
    while (node?.kind === 'fork') {
      way.push(node)
      node = bitOf(label, way.length - 1) === 0 ? node.zero : node.one
    }
    const leaf: Leaf = { kind: 'leaf', label, version, hash: hashPlaced({ label, version, list }) }
    const same = node !== undefined && equalBytes(node.label, label)
    if (node && !same) this.#part(node, label)
    return { root: this.#up(leaf), before: node && same ? node.version : undefined }
  }

  /** Makes the forks that tell a label from the one that stood in its place. */
  #part(other: Leaf, label: Uint8Array): void {
    const way = this.#way
    for (;;) {
      const depth = way.length
      const fork: Fork = { kind: 'fork', zero: undefined, one: undefined, hash: NOTHING }
      way.push(fork)
      if (bitOf(label, depth) === bitOf(other.label, depth)) continue
      if (bitOf(other.label, depth) === 0) fork.zero = other
      else fork.one = other
      return
    }
  }

  /** From the place up: each fork gets its new child and its new hash. */
  #up(leaf: Leaf): Uint8Array {
    let below: Node = leaf
    for (let depth = this.#way.length - 1; depth >= 0; depth--) {
      const fork = this.#way[depth]
      if (!fork) break
      if (bitOf(leaf.label, depth) === 0) fork.zero = below
      else fork.one = below
      fork.hash = hashFork(FORK, fork.zero?.hash ?? NOTHING, fork.one?.hash ?? NOTHING)
      below = fork
    }
    this.#root = below
    return below.hash
  }
}

const bitOf = (label: Uint8Array, depth: number): number => ((label[depth >> 3] ?? 0) >> (7 - (depth & 7))) & 1
