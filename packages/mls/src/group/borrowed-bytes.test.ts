/** Whose bytes are whose: a message is copied once, and what is only needed while it is processed are views of that copy. */
import { beforeAll, expect, test } from 'vitest'
import { hex } from '../crypto/bytes.ts'
import { KeySet } from '../public/leaf-validation.ts'
import { leafNodeCodec } from '../public/leaf-node.ts'
import type { Bytes, Group, KeyPackagePair, LeafIdentity, MlsEngine } from '../port.ts'
import { createMlsEngine } from './engine.ts'
import { stateOf } from './handle.ts'

const NOW = 1_800_000_000n
const utf8 = (words: string): Bytes => new TextEncoder().encode(words)
const yes = (): Promise<boolean> => Promise.resolve(true)
const hooks = { authenticate: yes, judge: yes, now: NOW }
const MEMBERS = 24

interface Device {
  readonly identity: LeafIdentity
  readonly keyPackage: KeyPackagePair
}

let engine: MlsEngine
let alice: Group
let bob: Group
let bobJoins: () => ReturnType<MlsEngine['join']>
let welcome: Bytes

const newDevice = async (name: string): Promise<Device> => {
  const identity = { credential: utf8(name), signature: await engine.generateSignaturePair() }
  return { identity, keyPackage: await engine.createKeyPackage({ identity, notBefore: NOW, notAfter: NOW + 86_400n, lastResort: false }) }
}

beforeAll(async () => {
  engine = await createMlsEngine()
  const founder = await newDevice('Alice')
  const others = await Promise.all(Array.from({ length: MEMBERS - 1 }, (_, at) => newDevice(`device ${at}`)))
  const founded = await engine.createGroup({ groupId: utf8('a group'), identity: founder.identity, policy: utf8('') })
  const added = await engine.commit(founded.group, { add: others.map(({ keyPackage }) => keyPackage.keyPackage), authenticate: yes })
  alice = added.next
  welcome = added.welcomes[0]?.bytes ?? utf8('')
  const [second] = others
  if (!second) throw new Error('nobody was added')
  bobJoins = () => engine.join({ welcome, ...second, authenticate: yes, now: NOW })
  bob = (await bobJoins()).group
})

test('what a caller does to a message after handing it over changes nothing', async () => {
  const update = await engine.commit(alice, { authenticate: yes })
  const said = await engine.seal(alice, utf8('hello'))
  const [commit, sealed, joining] = [engine.open(bob, update.commit, hooks), engine.open(bob, said.sealed, hooks), bobJoins()]
  for (const handed of [update.commit, said.sealed, welcome]) handed.fill(0xff)
  expect(hex((await commit).group.epochAuthenticator)).toBe(hex(update.next.epochAuthenticator))
  expect((await sealed).kind).toBe('message')
  expect((await joining).group.members.length).toBe(MEMBERS)
})

test('a group keeps of a long commit what it needs, and not the commit', async () => {
  const { commit } = await engine.commit(alice, { authenticate: yes })
  expect(commit.length).toBeGreaterThan(20_000)
  const opened = await engine.open(bob, commit, hooks)
  const { tree } = stateOf(opened.group)
  const leaf = tree.leaf(0)
  if (leaf?.source.kind !== 'commit') throw new Error('the commit did not replace the leaf')
  const kept = [leafNodeCodec.bytesOf(leaf), leaf.encryptionKey, leaf.signatureKey, leaf.signature, leaf.source.parentHash]
  for (const [, parent] of tree.parents()) kept.push(parent.encryptionKey, parent.parentHash)
  expect(Math.max(...kept.map(({ buffer }) => buffer.byteLength))).toBeLessThan(4096)
})

test('keys that begin alike are told apart, and one that comes again is known', () => {
  const key = (last: number): Bytes => Uint8Array.of(1, 2, 3, 4, 5, last)
  const keys = new KeySet()
  expect([key(1), key(2), key(3), key(2), key(1), Uint8Array.of(1, 2, 3, 4, 5)].map((each) => keys.add(each))).toEqual([
    true,
    true,
    true,
    false,
    false,
    true,
  ])
  expect([keys.has(key(3)), keys.has(key(4))]).toEqual([true, false])
})
