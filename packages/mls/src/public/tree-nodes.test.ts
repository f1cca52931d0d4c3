import { describe, expect, test } from 'vitest'
import { createMlsEngine } from '../group/engine.ts'
import type { LeafIdentity } from '../port.ts'
import { MlsError, afterCommit, changedNodes, decodeTree, encode, readGroupInfo, readMessage, splitWelcome, treeOfNodes } from './index.ts'
import { RatchetTree } from './tree.ts'

const utf8 = (words: string): Uint8Array => new TextEncoder().encode(words)
const yes = (): Promise<boolean> => Promise.resolve(true)
const NOW = 1_800_000_000n
const policy = { authenticate: yes, maxLifetime: 90n * 86_400n, now: NOW }
const engine = await createMlsEngine({ suite: 1, treeInWelcome: false })

const device = async (name: string) => {
  const identity: LeafIdentity = { credential: utf8(name), signature: await engine.generateSignaturePair() }
  const keyPackage = await engine.createKeyPackage({ identity, notBefore: NOW, notAfter: NOW + 9n, lastResort: false })
  return { identity, keyPackage }
}

/** A server's rows of one tree, by node. */
class Rows {
  readonly #rows = new Map<number, Uint8Array>()

  apply(before: RatchetTree | undefined, after: RatchetTree): number {
    const changes = changedNodes(before, after)
    for (const { node, bytes } of changes) {
      if (bytes) this.#rows.set(node, bytes)
      else this.#rows.delete(node)
    }
    return changes.length
  }

  get tree(): Uint8Array {
    return treeOfNodes([...this.#rows].map(([node, bytes]) => ({ node, bytes })).toSorted((a, b) => a.node - b.node))
  }
}

test('a tree that is kept node by node is the tree, after every commit, and a commit touches few nodes', async () => {
  const [alice, ...others] = await Promise.all(Array.from({ length: 33 }, (_, at) => device(`device ${at}`)))
  if (!alice) return
  const founded = await engine.createGroup({ groupId: utf8('g'), identity: alice.identity, policy: utf8('p') })
  let followed = await readGroupInfo(readMessage(founded.groupInfo, 'group_info').groupInfo, policy, founded.ratchetTree)
  const rows = new Rows()
  rows.apply(undefined, followed.tree)
  expect(rows.tree).toEqual(founded.ratchetTree)
  let group = founded.group
  const touched: number[] = []
  for (const request of [{ add: others.map(({ keyPackage }) => keyPackage.keyPackage) }, {}, { remove: [1, 7] }, { remove: [32] }, {}]) {
    const made = await engine.commit(group, { ...request, authenticate: yes })
    const next = await afterCommit(followed, readMessage(made.commit, 'public').message, policy)
    touched.push(rows.apply(followed.tree, next.group.tree))
    expect(rows.tree).toEqual(encode(RatchetTree.codec(followed.suite.hash), next.group.tree))
    expect(decodeTree(followed.suite, rows.tree).treeHash()).toEqual(next.group.context.treeHash)
    group = made.next
    followed = next.group
  }
  expect(touched.at(-1)).toBeLessThanOrEqual(7)
})

test('nodes that are out of order are no tree', () => {
  const row = { bytes: new Uint8Array([1]) }
  expect(() => treeOfNodes([2, 0].map((node) => ({ node, ...row })))).toThrow(MlsError)
})

describe('a Welcome without a tree', () => {
  test('is split so that each joiner gets its own part, and opens with the tree given apart', async () => {
    const [alice, bob, carol] = [await device('Alice'), await device('Bob'), await device('Carol')]
    const founded = await engine.createGroup({ groupId: utf8('g'), identity: alice.identity, policy: utf8('p') })
    const add = [bob, carol].map(({ keyPackage }) => keyPackage.keyPackage)
    const made = await engine.commit(founded.group, { add, authenticate: yes })
    const before = await readGroupInfo(readMessage(founded.groupInfo, 'group_info').groupInfo, policy, founded.ratchetTree)
    const { group } = await afterCommit(before, readMessage(made.commit, 'public').message, policy)
    const ratchetTree = encode(RatchetTree.codec(group.suite.hash), group.tree)
    expect(made.welcomes).toHaveLength(1)
    const { parts } = splitWelcome(made.welcomes[0]?.bytes ?? new Uint8Array())
    expect(parts.map(({ ref }) => ref)).toEqual([bob, carol].map(({ keyPackage }) => keyPackage.ref))
    for (const [at, joiner] of [bob, carol].entries()) {
      const [own, other] = [parts[at]?.bytes, parts[1 - at]?.bytes]
      if (!own || !other) throw new Error('a part is missing')
      const request = { ...joiner, authenticate: yes, now: NOW }
      const joined = await engine.join({ ...request, welcome: own, ratchetTree })
      expect(joined.group.epochAuthenticator).toEqual(made.next.epochAuthenticator)
      await expect(engine.join({ ...request, welcome: other, ratchetTree })).rejects.toMatchObject({ reason: 'invalid' })
      await expect(engine.join({ ...request, welcome: own })).rejects.toMatchObject({ reason: 'usage' })
      await expect(engine.join({ ...request, welcome: own, ratchetTree: founded.ratchetTree })).rejects.toMatchObject({
        reason: 'invalid',
      })
    }
  })

  test('a group is joined from outside by GroupInfo and the tree given apart', async () => {
    const [alice, bob] = [await device('Alice'), await device('Bob')]
    const founded = await engine.createGroup({ groupId: utf8('g'), identity: alice.identity, policy: utf8('p') })
    const { groupInfo, ratchetTree } = founded
    expect((await engine.inspectGroupInfo(groupInfo, ratchetTree)).members).toHaveLength(1)
    const door = { groupInfo, identity: bob.identity, authenticate: yes }
    await expect(engine.joinExternal(door)).rejects.toMatchObject({ reason: 'usage' })
    const { next, commit } = await engine.joinExternal({ ...door, ratchetTree })
    const opened = await engine.open(founded.group, commit, { authenticate: yes, judge: yes, now: NOW })
    expect(opened.group.epochAuthenticator).toEqual(next.epochAuthenticator)
    const again = await engine.joinExternal({
      ...door,
      ratchetTree,
      replaces: 0,
      authenticate: async ({ credential }) => credential.length === 3,
    })
    expect(again.next.members.map(({ credential }) => new TextDecoder().decode(credential))).toEqual(['Bob'])
  })
})
