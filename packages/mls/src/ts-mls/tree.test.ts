/** Our tree validation: it accepts what the library wrongly refuses, and refuses each kind of broken tree. */
import type { RatchetTree } from 'ts-mls'
import { validateRatchetTree } from 'ts-mls/clientState.js'
import { treeHashRoot } from 'ts-mls/treeHash.js'
import { beforeAll, describe, expect, test } from 'vitest'
import { refusal, World } from '../conformance/world.ts'
import { createTsMlsEngine } from './engine.ts'
import { configFor, stateOf } from './group.ts'
import { loadSuite } from './suite.ts'
import { complaint } from './testing/stage.ts'
import type { Suite } from './suite.ts'
import { expectTree, leavesOf } from './tree.ts'

/** Eight members with a full tree, of whom two are replaced so that one ancestor lists both and another only one. */
const unevenTree = async (suite: Suite) => {
  const world = new World(await createTsMlsEngine({ suite: 'classic' }))
  const seats = await world.assemble('m0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7')
  const [first] = seats
  await first.commit(
    seats.slice(1).filter(({ leaf }) => leaf !== 3 && leaf !== 5),
    { remove: [3, 5] },
  )
  const kept = seats.filter(({ leaf }) => leaf !== 3 && leaf !== 5)
  for (const seat of kept) await seat.commit(kept.filter((other) => other !== seat))
  await first.admit(kept.slice(1), 'new 3', 'new 5')
  const { ratchetTree, groupContext } = stateOf(suite, first.group)
  return { tree: ratchetTree, groupContext }
}

describe('a tree with unmerged leaves', () => {
  let suite: Suite
  let uneven: Awaited<ReturnType<typeof unevenTree>>
  beforeAll(async () => {
    suite = await loadSuite({ suite: 'classic' })
    uneven = await unevenTree(suite)
  })

  /** Refuses, with a tree hash that fits the broken tree, so that the rule itself must speak. */
  const refused = async (edit: (tree: RatchetTree) => RatchetTree) => {
    const tree = edit(uneven.tree)
    const treeHash = await treeHashRoot(tree, suite.cs.hash).catch(() => new Uint8Array())
    return await complaint(() => expectTree(suite, tree, { groupId: uneven.groupContext.groupId, treeHash }))
  }

  const root = 7
  const editParent = (
    tree: RatchetTree,
    index: number,
    change: { unmergedLeaves?: number[]; hpkePublicKey?: Uint8Array; parentHash?: Uint8Array },
  ): RatchetTree =>
    tree.map((node, at) => (at === index && node?.nodeType === 'parent' ? { ...node, parent: { ...node.parent, ...change } } : node))

  test('is valid though its ancestors list different leaves, which the library refuses', async () => {
    const { tree, groupContext } = uneven
    const lists = tree.flatMap((node) => (node?.nodeType === 'parent' ? [node.parent.unmergedLeaves.join()] : []))
    expect(lists).toContain('3,5')
    expect(lists).toContain('3')
    await expectTree(suite, tree, groupContext)
    const config = configFor(leavesOf(tree).map(({ leaf }) => leaf.credential))
    const error = await validateRatchetTree(tree, groupContext, config.lifetimeConfig, config.authService, groupContext.treeHash, suite.cs)
    expect(error?.message).toContain('unmerged_leaves')
  })

  test('is refused when the tree hash is not the one that was signed', async () => {
    const expected = { groupId: uneven.groupContext.groupId, treeHash: uneven.groupContext.treeHash.map((byte) => byte ^ 1) }
    expect(await refusal(() => expectTree(suite, uneven.tree, expected))).toBe('invalid')
  })

  test('B-125: unmerged leaves out of order, twice, blank, elsewhere, or missing in between', async () => {
    for (const unmergedLeaves of [[5, 3], [3, 3, 5], [3, 5, 40], [3]])
      expect(await refused((tree) => editParent(tree, root, { unmergedLeaves }))).toMatch(/invalid: (unmerged leaves|parent hash)/)
    expect(await refused((tree) => editParent(tree, 3, { unmergedLeaves: [] }))).toBe('invalid: unmerged leaves')
    expect(await refused((tree) => editParent(tree, 3, { unmergedLeaves: [5] }))).toBe('invalid: unmerged leaves')
  })

  test('a parent whose key or hash was changed is not vouched for', async () => {
    const fresh = await suite.cs.hpke.exportPublicKey((await suite.cs.hpke.generateKeyPair()).publicKey)
    expect(await refused((tree) => editParent(tree, root, { hpkePublicKey: fresh }))).toBe('invalid: parent hash')
    expect(await refused((tree) => editParent(tree, 3, { parentHash: new Uint8Array(32) }))).toBe('invalid: parent hash')
  })

  test('B-122: two nodes with one key, a leaf in a parent slot, a leaf moved to another place', async () => {
    const keyOf = (tree: RatchetTree) => (tree[root]?.nodeType === 'parent' ? tree[root].parent.hpkePublicKey : new Uint8Array())
    expect(await refused((tree) => editParent(tree, 3, { hpkePublicKey: keyOf(tree) }))).toBe('invalid: an encryption key is used twice')
    expect(await refused((tree) => tree.with(1, tree[0]))).toBe('invalid: tree has a node of the wrong kind')
    const swapped = await refused((tree) => tree.with(4, tree[12]).with(12, tree[4]))
    expect(swapped).toMatch(/invalid: parent hash|auth_failed: leaf signature/)
  })

  test('B-109: a weak key anywhere', async () => {
    expect(await refused((tree) => editParent(tree, root, { hpkePublicKey: new Uint8Array(32) }))).toBe(
      'invalid: encryption key is weak or not canonical',
    )
    const weak = (tree: RatchetTree): RatchetTree =>
      tree.map((node, at) =>
        at === 4 && node?.nodeType === 'leaf' ? { ...node, leaf: { ...node.leaf, signaturePublicKey: new Uint8Array(32) } } : node,
      )
    expect(await refused(weak)).toBe('invalid: signature key is weak or not canonical')
  })
})
