import { sha256 } from '@noble/hashes/sha2.js'
import { expect, test } from 'vitest'
import { find, NOTHING, place, prefixesOf, prefixRoot, rootByPlace, type Placed, type PrefixNode, type PrefixNodes } from './prefix-tree.ts'

const labelOf = (number: number): Uint8Array => sha256(Uint8Array.of(number & 255, number >> 8))
const placed = (number: number, version = 1): Placed => ({
  label: labelOf(number),
  version,
  list: sha256(Uint8Array.of(number & 255, number >> 8, version)),
})

test('every label is found where its proof says, and no other version of it is', () => {
  const nodes = new Map<string, PrefixNode>()
  for (let number = 0; number < 500; number++) place(nodes, placed(number))
  const root = prefixRoot(nodes)
  for (let number = 0; number < 500; number++) {
    const found = find(nodes, labelOf(number))
    expect(found?.placed).toMatchObject(placed(number))
    const path = found?.path ?? []
    expect(rootByPlace(placed(number), path)).toEqual(root)
    expect(rootByPlace(placed(number, 2), path)).not.toEqual(root)
    expect(rootByPlace({ ...placed(number), label: labelOf(number + 1) }, path)).not.toEqual(root)
    expect(rootByPlace(placed(number), [...path, NOTHING])).not.toEqual(root)
  }
  expect(find(nodes, labelOf(1000))).toBeUndefined()
})

test('the same labels make the same tree in whatever order they came', () => {
  const numbers = Array.from({ length: 200 }, (_, number) => number)
  const there = new Map<string, PrefixNode>()
  const back = new Map<string, PrefixNode>()
  for (const number of numbers) place(there, placed(number, 3))
  for (const number of numbers.toReversed()) place(back, placed(number, 2))
  for (const number of numbers) place(back, placed(number, 3))
  expect(prefixRoot(back)).toEqual(prefixRoot(there))
  expect(back.size).toBe(there.size)
  for (const [prefix, node] of there) expect(back.get(prefix)).toEqual(node)
})

test('one label alone is the root, and an empty tree has the root of nothing', () => {
  const nodes = new Map<string, PrefixNode>()
  expect(prefixRoot(nodes)).toEqual(NOTHING)
  const { root } = place(nodes, placed(7))
  expect(find(nodes, labelOf(7))?.path).toEqual([])
  expect(rootByPlace(placed(7), [])).toEqual(root)
})

test('labels that share a long beginning stand deep enough to be told apart', () => {
  const nodes = new Map<string, PrefixNode>()
  const near = (last: number): Placed => ({ ...placed(1), label: new Uint8Array(32).fill(170).with(31, last) })
  place(nodes, near(1))
  const { root } = place(nodes, near(3))
  for (const last of [1, 3]) {
    const found = find(nodes, near(last).label)
    expect(found?.path).toHaveLength(255)
    expect(rootByPlace(near(last), found?.path ?? [])).toEqual(root)
  }
})

test('nothing is asked for but what was announced', () => {
  const all = new Map<string, PrefixNode>()
  for (let number = 0; number < 300; number++) place(all, placed(number))
  const announced = new Set(prefixesOf(labelOf(300), 32))
  const asked: PrefixNodes = {
    get(prefix) {
      expect(announced.has(prefix)).toBe(true)
      return all.get(prefix)
    },
    set: (prefix, node) => void all.set(prefix, node),
  }
  place(asked, placed(300))
  expect(find(asked, labelOf(300))?.placed.version).toBe(1)
})
