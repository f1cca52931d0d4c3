import { sha256 } from '@noble/hashes/sha2.js'
import { expect, test } from 'vitest'
import { place, type Placed, type PrefixNode } from './prefix-tree.ts'
import { PrefixTrie } from './prefix-trie.ts'

const hashOf = (...numbers: number[]): Uint8Array => sha256(Uint8Array.from(numbers.flatMap((number) => [number & 255, number >> 8])))

/** Both trees must say the same after each change. */
function walk(changes: readonly Placed[]): void {
  const tree = new Map<string, PrefixNode>()
  const trie = new PrefixTrie()
  for (const placed of changes) expect(trie.place(placed)).toEqual(place(tree, placed))
}

test('it has the roots of the tree, whatever is added and replaced', () => {
  const changes = Array.from({ length: 2000 }, (_, at) => ({
    label: hashOf(at % 700),
    version: 1 + Math.floor(at / 700),
    list: hashOf(at, 1),
  }))
  walk(changes)
})

test('it has the roots of the tree where labels share a long beginning', () => {
  const near = (last: number): Placed => ({ label: new Uint8Array(32).fill(170).with(31, last), version: 1, list: hashOf(last) })
  walk([near(1), near(3), near(2), near(1), { ...near(3), version: 2 }, { ...near(9), label: new Uint8Array(32) }])
})
