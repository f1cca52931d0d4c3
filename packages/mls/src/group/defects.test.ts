/**
 * Each defect that other MLS libraries were caught with has a test of its name here, which fails on the defective
 * behaviour. Alice, Bob and Carol use the pieces below the port where the port would not let them misbehave.
 */
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { equal, hex } from '../crypto/bytes.ts'
import { suiteOf } from '../crypto/suite.ts'
import type { Bytes, CommitRequest, Group, JudgeCommit, KeyPackagePair, LeafIdentity, MlsEngine } from '../port.ts'
import { decode, encode } from '../public/codec.ts'
import { commitOf, forge, inline, remove } from '../bad-input/cast.test-support.ts'
import { encodeMutated } from './mutate.test-support.ts'
import { externalPubOf } from '../public/extensions.ts'
import { mlsMessageCodec, readMessage } from '../public/message.ts'
import { stageCommit } from '../public/staged-commit.ts'
import { RatchetTree } from '../public/tree.ts'
import { SecondOpinion } from '../second-opinion/second-opinion.ts'
import { derive, expandWithLabel, suiteOf as plainSuiteOf } from '../second-opinion/primitives.ts'
import { Cursor, uint } from '../second-opinion/wire.ts'
import { createMlsEngine } from './engine.ts'
import { groupOf, stateOf } from './handle.ts'
import { openPath } from './treekem.ts'
import { keyAt, nextKey, NO_RETENTION, secretTreeOf } from './secret-tree.ts'
import { verifyUnmergedLeaves } from '../public/parent-hash.ts'

const NOW = 1_800_000_000n
const utf8 = (words: string): Bytes => new TextEncoder().encode(words)
const yes = (): Promise<boolean> => Promise.resolve(true)
const hooks = { authenticate: yes, judge: yes, now: NOW }
const by = suiteOf(1)

let engine: MlsEngine
beforeAll(async () => {
  engine = await createMlsEngine({ suite: 1 })
})

interface Seat {
  readonly identity: LeafIdentity
  readonly keyPackage: KeyPackagePair
  group: Group
}

const device = async (name: string): Promise<Omit<Seat, 'group'>> => {
  const identity = { credential: utf8(name), signature: await engine.generateSignaturePair() }
  return { identity, keyPackage: await engine.createKeyPackage({ identity, notBefore: NOW, notAfter: NOW + 86_400n, lastResort: false }) }
}

const assemble = async (...names: string[]): Promise<Seat[]> => {
  const [first, ...others] = await Promise.all(names.map(device))
  if (!first) throw new Error('nobody')
  const founded = await engine.createGroup({ groupId: utf8('the group'), identity: first.identity, policy: utf8('') })
  const made = await engine.commit(founded.group, { add: others.map(({ keyPackage }) => keyPackage.keyPackage), authenticate: yes })
  const welcome = made.welcomes[0]?.bytes ?? new Uint8Array()
  const joined = others.map(async (other) => ({
    ...other,
    group: (await engine.join({ ...other, welcome, authenticate: yes, now: NOW })).group,
  }))
  return [{ ...first, group: made.next }, ...(await Promise.all(joined))]
}

const three = async (): Promise<[Seat, Seat, Seat]> => {
  const [alice, bob, carol] = await assemble('Alice', 'Bob', 'Carol')
  if (!alice || !bob || !carol) throw new Error('three were named')
  return [alice, bob, carol]
}

/** Alice commits, the others process. */
const advance = async (committer: Seat, others: readonly Seat[], request: Partial<CommitRequest> = {}) => {
  const made = await engine.commit(committer.group, { authenticate: yes, ...request })
  for (const other of others) other.group = (await engine.open(other.group, made.commit, hooks)).group
  committer.group = made.next
  return made
}

const welcomeOf = (made: { readonly welcomes: readonly { readonly bytes: Bytes }[] }): Bytes => made.welcomes[0]?.bytes ?? new Uint8Array()

describe('defect 1: a removal without new keys', () => {
  test('a commit that removes one member carries a path that the removed member cannot open under any leaf', async () => {
    const [alice, bob, carol] = await three()
    await advance(bob, [alice, carol])
    const made = await engine.commit(alice.group, { remove: [carol.group.ownLeafIndex], authenticate: yes })
    const { path } = commitOf(made.commit)
    expect(path?.nodes.length).toBeGreaterThan(0)
    const thief = stateOf(carol.group)
    const { message } = readMessage(made.commit, 'public')
    const staged = await stageCommit(thief, { wireFormat: 'public', ...message }, { authenticate: yes, maxLifetime: 2n ** 64n })
    for (let ownLeaf = 0; ownLeaf < staged.tree.leafCount; ownLeaf++) {
      if (!staged.path) throw new Error('no path')
      const attempt = openPath(by, { ...staged, ownLeaf, keys: thief.keys, update: staged.path.update, steps: staged.path.steps })
      await expect(attempt).rejects.toThrow()
    }
  })

  test('B-115: a removal, an empty commit or a change of policy without a path is refused', async () => {
    const [alice, bob] = await three()
    const policy = stateOf(alice.group).context.extensions
    for (const proposals of [
      [remove(2)],
      [],
      [{ kind: 'proposal', proposal: { kind: 'group_context_extensions', extensions: policy } } as const],
    ]) {
      const forged = await forge(stateOf(alice.group), { content: { kind: 'commit', commit: { proposals, path: undefined } } })
      await expect(engine.open(bob.group, forged, hooks)).rejects.toMatchObject({
        reason: 'invalid',
        message: 'commit without the path that it needs',
      })
    }
  })
})

test('defect 2: an ancestor that was set after a leaf was added need not list it as unmerged', async () => {
  const seats = await assemble('0', '1', '2', '3', '4', '5', '6')
  const [zero, one, , , four] = seats
  if (!zero || !one || !four) throw new Error('seven were named')
  const butFor = (...absent: Seat[]): Seat[] => seats.filter((seat) => !absent.includes(seat))
  await advance(four, butFor(four))
  const seven = await device('7')
  const added = await advance(four, butFor(four), { add: [seven.keyPackage.keyPackage] })
  seats.push({ ...seven, group: (await engine.join({ ...seven, welcome: welcomeOf(added), authenticate: yes, now: NOW })).group })
  const eve = await device('Eve')
  const made = await advance(zero, butFor(zero, one), { add: [eve.keyPackage.keyPackage], remove: [one.group.ownLeafIndex] })
  const joined = await engine.join({ ...eve, welcome: welcomeOf(made), authenticate: yes, now: NOW })
  const { tree } = stateOf(joined.group)
  expect([tree.parent(11)?.unmergedLeaves, tree.parent(7)?.unmergedLeaves]).toEqual([[7], []])
  expect(joined.group.epochAuthenticator).toEqual(four.group.epochAuthenticator)
})

test('defect 3: one commit adds and removes, and everybody can process it, another implementation included', async () => {
  const founder = await device('Alice')
  const [bobs, carols, dave] = [await device('Bob'), await device('Carol'), await device('Dave')]
  const founded = await engine.createGroup({ groupId: utf8('the group'), identity: founder.identity, policy: utf8('') })
  const add = [bobs, carols].map(({ keyPackage }) => keyPackage.keyPackage)
  const first = await engine.commit(founded.group, { add, authenticate: yes })
  const alice = { ...founder, group: first.next }
  const bob = { ...bobs, group: (await engine.join({ ...bobs, welcome: welcomeOf(first), authenticate: yes, now: NOW })).group }
  const secret = new Cursor(bobs.keyPackage.secret)
  const listener = SecondOpinion.join({
    welcome: welcomeOf(first),
    keyPackage: bobs.keyPackage.keyPackage,
    initKey: secret.opaque(),
    encryptionKey: secret.opaque(),
    findPsk: () => undefined,
  })
  const made = await advance(alice, [bob], { add: [dave.keyPackage.keyPackage], remove: [2] })
  expect(listener.hear(made.commit).kind).toBe('commit')
  const joined = await engine.join({ ...dave, welcome: welcomeOf(made), authenticate: yes, now: NOW })
  expect(joined.group.epochAuthenticator).toEqual(bob.group.epochAuthenticator)
  expect(hex(listener.authenticator)).toBe(hex(bob.group.epochAuthenticator))
})

test('defect 4: external_pub is a length-prefixed key inside its extension', async () => {
  const [alice] = await three()
  const { groupInfo } = await engine.commit(alice.group, { authenticate: yes })
  const info = readMessage(groupInfo, 'group_info').groupInfo
  const data = info.extensions.find(({ type }) => type === 4)?.data
  expect(data?.[0]).toBe(32)
  expect(data?.length).toBe(33)
  expect(externalPubOf(info.extensions)).toEqual(data?.slice(1))
})

/** The ratchet secrets of leaf 0 of two, up to a generation, from any of which all later keys can be derived. */
const ratchetSecrets = (encryption: Bytes, last: number): Bytes[] => {
  const plain = plainSuiteOf(1)
  const leaf = expandWithLabel(plain, encryption, { label: 'tree', context: utf8('left'), length: 32 })
  const secrets = [derive(plain, leaf, 'application')]
  for (let generation = 0; generation < last; generation++)
    secrets.push(expandWithLabel(plain, secrets.at(-1) ?? leaf, { label: 'secret', context: uint(generation, 4), length: 32 }))
  return secrets
}

describe('defect 5 (P4): what is kept of a skipped message', () => {
  test('a later, read message cannot be recovered from what is kept', () => {
    let sender = secretTreeOf(new Uint8Array(32).fill(3), 2)
    const sent = Array.from({ length: 6 }, () => {
      const taken = nextKey(by, sender, { leaf: 0, kind: 'application' })
      sender = taken.tree
      return taken.message
    })
    const limits = { forward: 64, skipped: { count: 10, lifetime: 60n, now: NOW } }
    const start = secretTreeOf(new Uint8Array(32).fill(3), 2)
    const { tree } = keyAt(by, start, { leaf: 0, kind: 'application', generation: 4, limits })
    const kept = tree.ratchets[0]?.application.skipped ?? []
    expect(kept.map(({ generation }) => generation)).toEqual([0, 1, 2, 3])
    expect(kept.map(({ key }) => hex(key))).toEqual(sent.slice(0, 4).map(({ key }) => hex(key)))
    const bytes = JSON.stringify(tree, (_, value: unknown) => {
      if (typeof value === 'bigint') return String(value)
      return value instanceof Uint8Array ? hex(value) : value
    })
    expect(bytes).not.toContain(hex(sent[4]?.key ?? utf8('')))
    for (const secret of ratchetSecrets(new Uint8Array(32).fill(3), 4)) expect(bytes).not.toContain(hex(secret))
    expect(bytes).toContain(hex(ratchetSecrets(new Uint8Array(32).fill(3), 5).at(-1) ?? utf8('')))
    expect(() => keyAt(by, tree, { leaf: 0, kind: 'application', generation: 4, limits })).toThrow(
      expect.objectContaining({ reason: 'duplicate' }),
    )
    const late = keyAt(by, tree, { leaf: 0, kind: 'application', generation: 2, limits })
    expect(late.message).toMatchObject(sent[2] ?? {})
    expect(() => keyAt(by, late.tree, { leaf: 0, kind: 'application', generation: 2, limits })).toThrow(
      expect.objectContaining({ reason: 'duplicate' }),
    )
  })

  test('P5: retention 0 keeps nothing, and past epochs never pile up', async () => {
    const { tree } = keyAt(by, secretTreeOf(new Uint8Array(32), 2), {
      leaf: 1,
      kind: 'application',
      generation: 5,
      limits: { forward: 64, skipped: NO_RETENTION },
    })
    expect(tree.ratchets[1]?.application.skipped).toEqual([])
    const [alice, bob] = await three()
    for (let epoch = 0; epoch < 4; epoch++) await advance(alice, [bob])
    expect(stateOf(bob.group).past?.context.epoch).toBe(bob.group.epoch - 1n)
  })
})

test('defect 6: path secrets that do not yield the published keys are refused at once', async () => {
  const [alice, bob, carol] = await three()
  // Alice shares the secret of one root key and publishes another; signature, parent hash and confirmation tag are all right.
  const state = stateOf(alice.group)
  let derived = 0
  const derive = async (ikm: Bytes) => (derived++ === 1 ? by.hpke.kem.generate() : by.hpke.kem.derive(ikm))
  const evil = { ...by, hpke: { ...by.hpke, kem: { ...by.hpke.kem, derive } } }
  const forged = await engine.commit(groupOf({ ...state, suite: evil }), { authenticate: yes })
  const refusal = { reason: 'invalid', message: expect.stringContaining('does not yield') }
  for (const seat of [bob, carol]) await expect(engine.open(seat.group, forged.commit, hooks)).rejects.toMatchObject(refusal)
})

test('defect 7: an external commit that removes a member is for the judge, and without one only for the same client', async () => {
  const [alice, bob, carol] = await three()
  const { groupInfo } = await advance(alice, [bob, carol])
  const mallory = await device('Mallory')
  const attack = await engine.joinExternal({ groupInfo, identity: mallory.identity, replaces: carol.group.ownLeafIndex, authenticate: yes })
  const seen: string[] = []
  const judge: JudgeCommit = (judged) => {
    seen.push(`${judged.external} ${judged.changes.map(({ kind }) => kind).join()}`)
    return Promise.resolve(false)
  }
  await expect(engine.open(bob.group, attack.commit, { ...hooks, judge })).rejects.toMatchObject({ reason: 'policy' })
  expect(seen).toEqual(['true removed,added'])
  const { message } = readMessage(attack.commit, 'public')
  const bare = stageCommit(stateOf(bob.group), { wireFormat: 'public', ...message }, { authenticate: yes, maxLifetime: 2n ** 64n })
  await expect(bare).rejects.toMatchObject({ reason: 'policy' })
})

test('defect 8: an expired key package is refused when it is inspected and when it is added', async () => {
  const [alice, bob] = await three()
  const dave = await device('Dave')
  const later = NOW + 2n * 86_400n
  await expect(engine.inspectKeyPackage(dave.keyPackage.keyPackage, later)).rejects.toMatchObject({ reason: 'invalid' })
  const made = await engine.commit(alice.group, { add: [dave.keyPackage.keyPackage], authenticate: yes })
  await expect(engine.open(bob.group, made.commit, { ...hooks, now: later })).rejects.toMatchObject({ reason: 'invalid' })
})

test('defect 9: private keys of vanished nodes leave the state at once', async () => {
  const seats = await assemble('Alice', 'Bob', 'Carol', 'Dave')
  const [alice, bob, carol, dave] = seats
  if (!alice || !bob || !carol || !dave) throw new Error('four were named')
  await advance(alice, [bob, carol, dave])
  await advance(carol, [alice, bob, dave])
  const before = stateOf(bob.group)
  expect(before.keys.size).toBe(3)
  const old = [...before.keys.values()].map(({ secretKey }) => hex(secretKey))
  await advance(carol, [bob], { remove: [dave.group.ownLeafIndex, alice.group.ownLeafIndex] })
  const after = stateOf(bob.group)
  const tree = after.tree
  for (const [node, pair] of after.keys) expect(equal(pair.publicKey, tree.publicKeyOf(node) ?? utf8(''))).toBe(true)
  const stored = hex(engine.snapshot(bob.group).bytes)
  // The root is renewed by Carol's commit, and the node above Alice and Bob is blank: their old private keys are nowhere any more.
  expect([...after.keys.keys()].toSorted((a, b) => a - b)).toEqual([2, 3])
  for (const node of [1, 3]) {
    const secret = hex(before.keys.get(node)?.secretKey ?? utf8(''))
    expect(old).toContain(secret)
    expect(stored).not.toContain(secret)
  }
})

test('defect 10 (P3): trailing bytes and other version numbers are refused everywhere', async () => {
  const [alice] = await three()
  const dave = await device('Dave')
  const made = await engine.commit(alice.group, { add: [dave.keyPackage.keyPackage], authenticate: yes })
  const { sealed } = await engine.seal(alice.group, utf8('hello'))
  for (const message of [made.commit, welcomeOf(made), made.groupInfo, sealed]) {
    decode(mlsMessageCodec, message)
    expect(() => decode(mlsMessageCodec, Uint8Array.of(...message, 0))).toThrow(expect.objectContaining({ reason: 'malformed' }))
    for (const version of [0, 2, 255])
      expect(() => decode(mlsMessageCodec, message.with(1, version))).toThrow(expect.objectContaining({ reason: 'unsupported' }))
  }
})

describe('defect 11 (P6, P7): who a message says it is from', () => {
  test('B-099: a blank, absurd or own leaf index is refused, quickly and without harm', async () => {
    const [alice, bob, carol] = await three()
    // Carol stays, so that Bob's place and the one beside her are blank and still in the tree.
    await advance(alice, [carol], { remove: [bob.group.ownLeafIndex] })
    const state = stateOf(alice.group)
    for (const leafIndex of [1, 3, 77, 2 ** 31, 2 ** 32 - 1, carol.group.ownLeafIndex]) {
      const { message } = await encodeMutated(state, { leafIndex, generation: 0 })
      const derived = vi.spyOn(by.hash, 'expandAll')
      const before = performance.now()
      await expect(engine.open(carol.group, message, hooks)).rejects.toMatchObject({ reason: 'invalid' })
      expect(performance.now() - before).toBeLessThan(1000)
      // For the sender data, and for no leaf that it might name.
      expect(derived.mock.calls.length).toBe(1)
      vi.restoreAllMocks()
    }
  })

  test('B-103: an absurd generation is too far before anything is derived', async () => {
    const [alice, bob] = await three()
    for (const generation of [65, 2 ** 32 - 1]) {
      const { message } = await encodeMutated(stateOf(alice.group), { leafIndex: alice.group.ownLeafIndex, generation })
      await expect(engine.open(bob.group, message, hooks)).rejects.toMatchObject({ reason: 'too_far' })
    }
  })

  test('an unmerged leaf that is blank, out of range or elsewhere makes the tree invalid', async () => {
    const [alice, bob, carol] = await three()
    await advance(alice, [bob, carol])
    for (const leafIndex of [3, 900]) {
      const tree = stateOf(alice.group).tree.clone()
      const [node, parent] = [...tree.parents()].at(-1) ?? expect.unreachable()
      tree.setParent(node, { ...parent, unmergedLeaves: [leafIndex] })
      expect(() => verifyUnmergedLeaves(tree)).toThrow(expect.objectContaining({ reason: 'invalid' }))
      expect(encode(RatchetTree.codec(by.hash), tree).length).toBeGreaterThan(0)
    }
  })
})

test('B-102: padding that is not zero is malformed', async () => {
  const [alice, bob] = await three()
  const { message } = await encodeMutated(stateOf(alice.group), { leafIndex: 0, generation: 0, padding: Uint8Array.of(0, 0, 1, 0) })
  await expect(engine.open(bob.group, message, hooks)).rejects.toMatchObject({ reason: 'malformed' })
})

test('B-115: a path with a wrong number of nodes, a foreign parent hash or a used key is refused', async () => {
  const [alice, bob, carol] = await three()
  await advance(bob, [alice, carol])
  const { path } = commitOf((await engine.commit(alice.group, { authenticate: yes })).commit)
  if (!path) throw new Error('no path')
  const [first] = path.nodes
  const used = stateOf(alice.group).tree.publicKeyOf(stateOf(alice.group).tree.root) ?? utf8('')
  const paths = [
    { ...path, nodes: path.nodes.slice(1) },
    { ...path, nodes: [...path.nodes, ...(first ? [first] : [])] },
    { ...path, nodes: path.nodes.map((node) => ({ ...node, encryptedPathSecrets: node.encryptedPathSecrets.slice(1) })) },
    { ...path, nodes: path.nodes.map((node, at) => (at === 0 ? { ...node, encryptionKey: used } : node)) },
    { ...path, leaf: stateOf(alice.group).tree.leaf(0) ?? path.leaf },
  ]
  for (const each of paths) {
    const forged = await forge(stateOf(alice.group), { content: { kind: 'commit', commit: { proposals: [], path: each } } })
    await expect(engine.open(bob.group, forged, hooks)).rejects.toMatchObject({ reason: 'invalid' })
  }
})

test('a member cannot end the group for all by a reinit commit', async () => {
  const [alice, bob] = await three()
  const { context } = stateOf(alice.group)
  const reinit = { kind: 'reinit', groupId: utf8('another'), version: 'mls10', suite: 1, extensions: context.extensions } as const
  const forged = await forge(stateOf(alice.group), {
    content: { kind: 'commit', commit: { proposals: [inline(reinit)], path: undefined } },
  })
  await expect(engine.open(bob.group, forged, hooks)).rejects.toMatchObject({ reason: 'unsupported' })
})

test('a hook that throws instead of answering says no', async () => {
  const [alice, bob] = await three()
  const { commit } = await engine.commit(alice.group, { authenticate: yes })
  const broken = (): never => {
    throw new Error('a bug of the caller')
  }
  await expect(engine.open(bob.group, commit, { ...hooks, authenticate: broken })).rejects.toMatchObject({ reason: 'policy' })
  await expect(engine.open(bob.group, commit, { ...hooks, judge: broken })).rejects.toMatchObject({ reason: 'policy' })
})
