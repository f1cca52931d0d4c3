import { describe, expect, test } from 'vitest'
import { SHA256 } from '../crypto/hash.ts'
import type { Extension } from './extensions.ts'
import type { LeafNode } from './leaf-node.ts'
import { validateRoster } from './leaf-validation.ts'
import { RatchetTree } from './tree.ts'

const BASIC = 1
const X509 = 2
const NO_EXTENSIONS: readonly Extension[] = []

const leafOf = (seed: number, more: { readonly x509?: boolean; readonly credentials?: readonly number[] } = {}): LeafNode => ({
  encryptionKey: Uint8Array.of(1, seed, 7, 7, 7),
  signatureKey: Uint8Array.of(2, seed, 7, 7, 7),
  credential: more.x509 ? { kind: 'x509', certificates: [] } : { kind: 'basic', identity: Uint8Array.of(seed) },
  capabilities: { versions: [1], suites: [1], extensions: [], proposals: [], credentials: more.credentials ?? [BASIC, X509] },
  source: { kind: 'update' },
  extensions: [],
  signature: new Uint8Array(),
})

const treeOf = ([first, ...others]: readonly [LeafNode, ...LeafNode[]]): RatchetTree => {
  const tree = RatchetTree.of(SHA256, first)
  others.forEach((leaf) => tree.add(leaf))
  return tree
}

describe('a tree that follows a sound one', () => {
  const [alice, bob] = [leafOf(1), leafOf(2, { credentials: [BASIC] })] as const
  const before = { tree: treeOf([alice, bob]), context: { extensions: NO_EXTENSIONS } }
  const joinedBy = (leaf: LeafNode): RatchetTree => {
    const tree = before.tree.clone()
    tree.add(leaf)
    return tree
  }

  test('is sound with a newcomer of its own keys', () => {
    expect(() => validateRoster(joinedBy(leafOf(3)), NO_EXTENSIONS, before)).not.toThrow()
  })

  test('is refused when the newcomer has a key of a member who stayed', () => {
    const [signing, encrypting] = [
      { ...leafOf(3), signatureKey: bob.signatureKey.slice() },
      { ...leafOf(3), encryptionKey: bob.encryptionKey.slice() },
    ]
    expect(() => validateRoster(joinedBy(signing), NO_EXTENSIONS, before)).toThrow('two leaves with one signature key')
    expect(() => validateRoster(joinedBy(encrypting), NO_EXTENSIONS, before)).toThrow('two nodes with one encryption key')
  })

  test('is refused when a new node above has the key of a leaf that stayed', () => {
    const tree = before.tree.clone()
    tree.setParent(1, { encryptionKey: alice.encryptionKey.slice(), parentHash: new Uint8Array(), unmergedLeaves: [] })
    expect(() => validateRoster(tree, NO_EXTENSIONS, before)).toThrow('two nodes with one encryption key')
  })

  test('is refused when a member who stayed does not understand the credential of the newcomer', () => {
    expect(() => validateRoster(joinedBy(leafOf(3, { x509: true })), NO_EXTENSIONS, before)).toThrow('lacks a capability')
  })

  test('is refused when the group begins to need what a member who stayed does not have', () => {
    const extensions = [{ type: 0xff00, data: new Uint8Array() }]
    expect(() => validateRoster(before.tree.clone(), extensions, before)).toThrow('lacks a capability')
  })
})
