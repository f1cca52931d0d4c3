/**
 * Verifying a whole log from its first entry: each label's versions ascend by one
 * (from wherever they begin: a server that is older than its log begins with the versions of that day), the map after each entry has the root that
 * the entry names, and the heads that were shown lie on it.
 */
import { equalBytes } from '../bytes.ts'
import { readEntry } from './entry.ts'
import { completedBy, hashLeaf, hashRange, neighboursOf, type LogState, type NodeId } from './log-tree.ts'
import { PrefixTrie } from './prefix-trie.ts'

export type AuditFinding =
  | { readonly kind: 'malformed'; readonly at: number }
  /** A version came twice, or one was left out. */
  | { readonly kind: 'version'; readonly at: number; readonly expected: number; readonly found: number }
  | { readonly kind: 'map'; readonly at: number }

export class Auditor {
  readonly #nodes = new Map<string, Uint8Array>()
  readonly #map = new PrefixTrie()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The log so far. Undefined before the first entry. */
  get state(): LogState | undefined {
    if (this.#size === 0) return undefined
    return { size: this.#size, root: hashRange({ from: 0, to: this.#size }, this.#node) }
  }

  /** Takes the next entry; what is wrong with it, or undefined. Nothing after a finding can be judged. */
  add(bytes: Uint8Array): AuditFinding | undefined {
    const at = this.#size
    const entry = readEntry(bytes)
    if (!entry) return { kind: 'malformed', at }
    const { label, version, list } = entry
    const { root, before } = this.#map.place({ label, version, list })
    if (before !== undefined && version !== before + 1) return { kind: 'version', at, expected: before + 1, found: version }
    if (!equalBytes(root, entry.mapRoot)) return { kind: 'map', at }
    this.#append(hashLeaf(bytes))
    return undefined
  }

  /** Keeps only the complete subtrees that later roots are made of. */
  #append(leaf: Uint8Array): void {
    const used = neighboursOf(this.#size)
    const newest = completedBy({ size: this.#size, leaf, node: this.#node }).at(-1)
    if (newest) this.#nodes.set(nameOf(newest), newest.hash)
    for (const node of used) this.#nodes.delete(nameOf(node))
    this.#size++
  }

  readonly #node = (node: NodeId): Uint8Array => {
    const hash = this.#nodes.get(nameOf(node))
    if (!hash) throw new RangeError('a subtree that is not kept')
    return hash
  }
}

const nameOf = ({ level, index }: NodeId): string => `${level}.${index}`
