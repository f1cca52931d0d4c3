import { expect, test } from 'vitest'
import {
  completedBy,
  consistencyPath,
  hashLeaf,
  hashRange,
  inclusionPath,
  isConsistent,
  neighboursOf,
  rootByInclusion,
  type NodeId,
  type Range,
} from './log-tree.ts'

const nameOf = ({ level, index }: NodeId): string => `${level}.${index}`
const fromHex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

function grow(entries: readonly Uint8Array[]) {
  const stored = new Map<string, Uint8Array>()
  const node = (id: NodeId): Uint8Array => {
    const hash = stored.get(nameOf(id))
    if (!hash) throw new Error(`asked for ${nameOf(id)}, which is not complete`)
    return hash
  }
  const roots = entries.map((entry, size) => {
    const asked: string[] = []
    const completed = completedBy({ size, leaf: hashLeaf(entry), node: (id) => (asked.push(nameOf(id)), node(id)) })
    expect(asked).toEqual(neighboursOf(size).map(nameOf))
    for (const made of completed) stored.set(nameOf(made), made.hash)
    return hashRange({ from: 0, to: size + 1 }, node)
  })
  const hashes = (ranges: readonly Range[]) => ranges.map((range) => hashRange(range, node))
  return { roots, hashes }
}

/** The entries and roots that the tests of Certificate Transparency use (RFC 6962 section 2.1, which RFC 9162 keeps). */
const ENTRIES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(fromHex)
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

test('the roots are those of Certificate Transparency', () => {
  expect(grow(ENTRIES).roots.map(toHex)).toEqual(ROOTS)
})

const MANY = Array.from({ length: 70 }, (_, at) => Uint8Array.of(at))

test('every entry is proved to be in every log that has it, and nothing else is', () => {
  const { hashes } = grow(MANY)
  for (let size = 1; size <= MANY.length; size++) {
    const { roots } = grow(MANY.slice(0, size))
    const root = roots.at(-1) ?? new Uint8Array()
    for (let at = 0; at < size; at++) {
      const path = hashes(inclusionPath(at, size))
      const claim = { at, size, leaf: hashLeaf(Uint8Array.of(at)), path }
      expect(rootByInclusion(claim)).toEqual(root)
      expect(rootByInclusion({ ...claim, leaf: hashLeaf(Uint8Array.of(at + 1)) })).not.toEqual(root)
      if (size > 1) expect(rootByInclusion({ ...claim, at: (at + 1) % size })).not.toEqual(root)
      expect(rootByInclusion({ ...claim, path: [...path, root] })).not.toEqual(root)
      if (size > 1) expect(rootByInclusion({ ...claim, path: path.slice(1) })).not.toEqual(root)
    }
    expect(rootByInclusion({ at: size, size, leaf: root, path: [] })).toBeUndefined()
  }
})

test('a later log is proved to begin with an earlier one, and with no other', () => {
  const { roots, hashes } = grow(MANY)
  const others = grow(MANY.map((entry, at) => (at === 3 ? Uint8Array.of(200) : entry))).roots
  const stateOf = (size: number, of = roots) => ({ size, root: of[size - 1] ?? new Uint8Array(32) })
  for (let later = 1; later <= MANY.length; later++)
    for (let earlier = 1; earlier <= later; earlier++) {
      const path = hashes(consistencyPath(earlier, later))
      const claim = { earlier: stateOf(earlier), later: stateOf(later), path }
      expect(isConsistent(claim)).toBe(true)
      expect(path.length).toBeLessThanOrEqual(8)
      if (later > 3) expect(isConsistent({ ...claim, later: stateOf(later, others) })).toBe(false)
      if (earlier > 3) expect(isConsistent({ ...claim, earlier: stateOf(earlier, others) })).toBe(false)
      expect(isConsistent({ ...claim, path: [...path, claim.later.root] })).toBe(false)
      if (path.length > 0) expect(isConsistent({ ...claim, path: path.slice(0, -1) })).toBe(false)
      if (earlier < later) expect(isConsistent({ earlier: claim.later, later: claim.earlier, path })).toBe(false)
    }
  expect(isConsistent({ earlier: stateOf(0), later: stateOf(5), path: [] })).toBe(true)
})
