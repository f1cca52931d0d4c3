/** What comes from outside of a group or from outside of RFC 9420: external senders, newcomers, custom types, GREASE. */
import { describe, expect, test } from 'vitest'
import { refusal } from '../conformance/world.ts'
import { hex, text } from '../crypto/bytes.ts'
import { suiteOf } from '../crypto/suite.ts'
import { createMlsEngine } from '../group/engine.ts'
import { stateOf } from '../group/handle.ts'
import type { Bytes, Group, LeafIdentity } from '../port.ts'
import { decode, encode } from '../public/codec.ts'
import type { Extension } from '../public/extensions.ts'
import { keyPackageCodec, signKeyPackage, signLeaf } from '../public/leaf-node.ts'
import { afterProposal, readGroupInfo, readMessage } from '../public/index.ts'
import type { StagedCommit } from '../public/index.ts'
import {
  commit,
  externalSenders,
  found,
  groupInfo,
  join,
  joinExternal,
  keyPackage,
  merge,
  propose,
  proposeAsExternal,
  proposeOwnAdd,
  receive,
  requiredCapabilities,
} from './index.ts'
import type { Wanted } from './index.ts'

const NOW = 1_800_000_000n
const yes = (): Promise<boolean> => Promise.resolve(true)
const hooks = { authenticate: yes, judge: yes, now: NOW }
const engine = await createMlsEngine({ suite: 1 })
const lifetime = { notBefore: NOW, notAfter: NOW + 86_400n, lastResort: false }
const CUSTOM = 0xf123

const person = async (name: string): Promise<LeafIdentity> => ({ credential: text(name), signature: await engine.generateSignaturePair() })

const understands = { proposals: [CUSTOM], extensions: [0xf456] }
const packageOf = async (identity: LeafIdentity, style = { understands }) => ({
  identity,
  keyPackage: await keyPackage({ suite: 1, identity, ...lifetime, ...style }),
})

/** Alice's group with these extensions, and Bob in it. */
const pair = async (extensions: readonly Extension[]): Promise<{ alice: Group; bob: Group }> => {
  const [identity, bob] = [await person('Alice'), await packageOf(await person('Bob'))]
  const { group } = await found({ suite: 1, groupId: text('a group'), identity, extensions, understands })
  const inline: Wanted[] = [{ kind: 'add', keyPackage: bob.keyPackage.keyPackage }]
  const made = await commit(group, { framing: 'public', inline, authenticate: yes })
  const joined = await join({ welcome: made.welcomes[0]?.bytes ?? text(''), ...bob, authenticate: yes })
  return { alice: merge(group, made.next).group, bob: joined.group }
}

const placeOf = ({ groupId, epoch }: Group) => ({ suite: 1, groupId, epoch })

/** Alice commits what waits; both are in the next epoch. */
const settle = async ({ alice, bob }: { alice: Group; bob: Group }) => {
  const made = await commit(alice, { framing: 'public', authenticate: yes })
  const received = await receive(bob, made.commit, hooks)
  if (received.kind !== 'commit') throw new Error('no commit')
  const next = merge(alice, made.next).group
  expect(hex(received.group.epochAuthenticator)).toBe(hex(next.epochAuthenticator))
  return { alice: next, bob: received.group, made, staged: received.staged }
}

describe('an external sender', () => {
  test('proposes to remove and to add, members judge it and commit', async () => {
    const [server, dave] = [await person('the server'), await packageOf(await person('Dave'))]
    const start = await pair([externalSenders([{ signatureKey: server.signature.publicKey, credential: server.credential }])])
    const from = { group: placeOf(start.alice), senderIndex: 0, secretKey: server.signature.secretKey }
    const proposal = await proposeAsExternal({ ...from, wanted: { kind: 'add', keyPackage: dave.keyPackage.keyPackage } })
    const seen: string[] = []
    const judge = async ({ sender, proposal: judged }: { sender: { kind: string }; proposal?: { kind: string } }) =>
      seen.push(`${sender.kind} ${judged?.kind ?? ''}`) > 0
    const [alice, bob] = await Promise.all([start.alice, start.bob].map(async (group) => receive(group, proposal, { ...hooks, judge })))
    if (!alice || !bob) throw new Error('two received it')
    expect(seen).toEqual(['external add', 'external add'])
    const { alice: next, made } = await settle({ alice: alice.group, bob: bob.group })
    const joined = await join({ welcome: made.welcomes[0]?.bytes ?? text(''), ...dave, authenticate: yes })
    expect(hex(joined.group.epochAuthenticator)).toBe(hex(next.epochAuthenticator))
    const removal = await proposeAsExternal({ ...from, group: placeOf(next), wanted: { kind: 'remove', leafIndex: 2 } })
    const after = await receive(next, removal, hooks)
    const last = await commit(after.group, { framing: 'public', authenticate: yes })
    expect(last.changes.map(({ kind, leafIndex }) => [kind, leafIndex])).toEqual([['removed', 2]])
  })

  test('B-120: is refused without a place in the list, with a wrong key, for another epoch, or with what only members may propose', async () => {
    const [server, mallory] = [await person('the server'), await person('Mallory')]
    const { alice } = await pair([externalSenders([{ signatureKey: server.signature.publicKey, credential: server.credential }])])
    const wanted: Wanted = { kind: 'remove', leafIndex: 1 }
    const ask = async (change: Partial<Parameters<typeof proposeAsExternal>[0]>) => {
      const good = { group: placeOf(alice), senderIndex: 0, secretKey: server.signature.secretKey, wanted }
      return refusal(async () => receive(alice, await proposeAsExternal({ ...good, ...change }), hooks))
    }
    expect(await ask({ senderIndex: 1 })).toBe('invalid')
    expect(await ask({ senderIndex: 2 ** 32 - 1 })).toBe('invalid')
    expect(await ask({ secretKey: mallory.signature.secretKey })).toBe('auth_failed')
    expect(await ask({ group: { ...placeOf(alice), epoch: 0n } })).toBe('stale_epoch')
    expect(await ask({ group: { ...placeOf(alice), epoch: 9n } })).toBe('future_epoch')
    expect(await ask({ group: { ...placeOf(alice), groupId: text('other') } })).toBe('unknown_group')
    expect(await ask({ wanted: { kind: 'remove', leafIndex: 7 } })).toBe('invalid')
    const proposal = await proposeAsExternal({ group: placeOf(alice), senderIndex: 0, secretKey: server.signature.secretKey, wanted })
    expect(await refusal(() => receive(alice, proposal, { ...hooks, judge: async () => false }))).toBe('policy')
    expect(await refusal(() => engine.open(alice, proposal, hooks))).toBe('policy')
  })

  test('is followed by a delivery service too', async () => {
    const server = await person('the server')
    const { alice } = await pair([externalSenders([{ signatureKey: server.signature.publicKey, credential: server.credential }])])
    const policy = { authenticate: yes, maxLifetime: 90n * 86_400n, now: NOW }
    const followed = await readGroupInfo(readMessage(await groupInfo(alice), 'group_info').groupInfo, policy)
    const from = { group: placeOf(alice), senderIndex: 0, secretKey: server.signature.secretKey }
    const proposal = await proposeAsExternal({ ...from, wanted: { kind: 'remove', leafIndex: 1 } })
    const { sent } = await afterProposal(followed, readMessage(proposal, 'public').message, policy)
    expect([sent.sender.kind, sent.proposal.kind]).toEqual(['external', 'remove'])
  })
})

describe('a newcomer', () => {
  test('proposes its own add and joins by the Welcome of whoever commits it', async () => {
    const dave = await packageOf(await person('Dave'))
    const start = await pair([])
    const proposal = await proposeOwnAdd({ group: placeOf(start.alice), identity: dave.identity, keyPackage: dave.keyPackage.keyPackage })
    const [alice, bob] = await Promise.all([start.alice, start.bob].map(async (group) => (await receive(group, proposal, hooks)).group))
    if (!alice || !bob) throw new Error('two received it')
    const { alice: next, made } = await settle({ alice, bob })
    const joined = await join({ welcome: made.welcomes[0]?.bytes ?? text(''), ...dave, authenticate: yes })
    expect(hex(joined.group.epochAuthenticator)).toBe(hex(next.epochAuthenticator))
  })

  test('B-120: cannot propose somebody else’s add', async () => {
    const [dave, mallory] = [await packageOf(await person('Dave')), await person('Mallory')]
    const { alice } = await pair([])
    const proposal = await proposeOwnAdd({ group: placeOf(alice), identity: mallory, keyPackage: dave.keyPackage.keyPackage })
    expect(await refusal(() => receive(alice, proposal, hooks))).toBe('auth_failed')
  })

  test('joins by external commit, with a PSK that proves it knew the group or a secret', async () => {
    const psk = { kind: 'external', id: text('a secret') } as const
    const findPsk = async () => text('told to all of us')
    const { alice, bob } = await pair([])
    const request = {
      suite: 1,
      groupInfo: await groupInfo(alice, text('note')),
      identity: await person('Dave'),
      authenticate: yes,
      understands,
    }
    const entered = await joinExternal({ ...request, psks: [psk], findPsk })
    expect(hex(entered.note)).toBe(hex(text('note')))
    for (const group of [alice, bob]) {
      const received = await receive(group, entered.commit, { ...hooks, findPsk })
      expect(hex(received.group.epochAuthenticator)).toBe(hex(entered.next.epochAuthenticator))
    }
    expect(await refusal(() => receive(alice, entered.commit, hooks))).toBe('invalid')
    expect(await refusal(() => joinExternal({ ...request, psks: [psk] }))).toBe('invalid')
  })
})

describe('a custom proposal', () => {
  test('is made, by value and by reference, and reaches the application with who proposed it', async () => {
    const start = await pair([])
    const wanted: Wanted = { kind: 'custom', type: CUSTOM, data: text('do something') }
    const asked = await propose(start.bob, wanted, { framing: 'private', authenticate: yes })
    const heard = await receive(start.alice, asked.proposal, hooks)
    const { alice, bob, staged } = await settle({ alice: heard.group, bob: asked.group })
    const told = ({ custom }: StagedCommit) => custom.map(({ proposal, sender }) => [sender, proposal.type, hex(proposal.data)])
    expect(told(staged)).toEqual([[{ kind: 'member', leafIndex: 1 }, CUSTOM, hex(text('do something'))]])
    const made = await commit(alice, { framing: 'public', inline: [wanted], authenticate: yes })
    const received = await receive(bob, made.commit, hooks)
    expect(received.kind === 'commit' && told(received.staged)).toEqual([
      [{ kind: 'member', leafIndex: 0 }, CUSTOM, hex(text('do something'))],
    ])
  })

  test('B-117: of a type that a member does not list is refused, and so is one that is none', async () => {
    const { alice } = await pair([])
    const custom = (type: number): Wanted => ({ kind: 'custom', type, data: text('') })
    expect(await refusal(() => commit(alice, { framing: 'public', inline: [custom(0xf124)], authenticate: yes }))).toBe('unsupported')
    for (const type of [0, 7, 0x1_0000])
      expect(await refusal(() => commit(alice, { framing: 'public', inline: [custom(type)], authenticate: yes }))).toBe('usage')
  })

  test('and the capabilities for it outlive updates of the leaf', async () => {
    const { alice, bob } = await pair([])
    const asked = await propose(bob, { kind: 'update' }, { framing: 'public', authenticate: yes })
    const heard = await receive(alice, asked.proposal, hooks)
    const after = await settle({ alice: heard.group, bob: asked.group })
    for (const [, leaf] of stateOf(after.alice).tree.leaves()) {
      expect(leaf.capabilities.proposals).toContain(CUSTOM)
      expect(leaf.capabilities.extensions).toContain(0xf456)
    }
  })
})

test('required capabilities keep out whoever lacks one, and cannot be introduced while a member does', async () => {
  const required = requiredCapabilities({ extensionTypes: [0xf456], proposalTypes: [CUSTOM], credentialTypes: [] })
  const { alice } = await pair([required])
  const plain = await packageOf(await person('Dave'), { understands: { proposals: [], extensions: [] } })
  const add: Wanted = { kind: 'add', keyPackage: plain.keyPackage.keyPackage }
  expect(await refusal(() => commit(alice, { framing: 'public', inline: [add], authenticate: yes }))).toBe('invalid')
  const open = await pair([])
  const admitted = await commit(open.alice, { framing: 'public', inline: [add], authenticate: yes })
  const later = commit(admitted.next, { framing: 'public', inline: [{ kind: 'extensions', extensions: [required] }], authenticate: yes })
  expect(await refusal(() => later)).toBe('invalid')
})

describe('GREASE (RFC 9420 section 13.5)', () => {
  /** The values 0x0A0A, 0x1A1A ... 0xEAEA. */
  const isGrease = (value: number): boolean => (value & 0x0f0f) === 0x0a0a && value >> 12 === ((value >> 4) & 0xf) && value < 0xf000

  test('is in every list of capabilities and in every GroupInfo that we make', async () => {
    const { alice } = await pair([])
    for (const [, { capabilities }] of stateOf(alice).tree.leaves())
      for (const list of [capabilities.suites, capabilities.extensions, capabilities.proposals, capabilities.credentials])
        expect(list.some(isGrease)).toBe(true)
    const info = readMessage(await groupInfo(alice), 'group_info').groupInfo
    expect(info.extensions.some(({ type }) => isGrease(type))).toBe(true)
  })

  test('of others is ignored: in capabilities, in leaves, in key packages', async () => {
    const by = suiteOf(1)
    const { alice } = await pair([])
    const { identity, keyPackage: made } = await packageOf(await person('Dave'))
    const honest = decode(keyPackageCodec, made.keyPackage)
    const more = [0x0a0a, 0x3a3a, 0xeaea]
    const greased = (list: readonly number[]): number[] => [...more.filter((value) => !list.includes(value)), ...list]
    const { versions, suites, extensions, proposals, credentials } = honest.leaf.capabilities
    const capabilities = {
      versions: greased(versions),
      suites: greased(suites),
      extensions: greased(extensions),
      proposals: greased(proposals),
      credentials: greased(credentials),
    }
    const noise: Extension[] = [{ type: 0x3a3a, data: text('whatever') }]
    const { secretKey } = identity.signature
    const leaf = await signLeaf(by, { ...honest.leaf, capabilities, extensions: noise }, { groupId: text(''), leafIndex: 0, secretKey })
    const dave = encode(keyPackageCodec, await signKeyPackage(by, { ...honest, leaf, extensions: noise }, secretKey))
    expect((await engine.inspectKeyPackage(dave, NOW)).credential).toEqual(text('Dave'))
    const add: Wanted = { kind: 'add', keyPackage: dave }
    const pending = await commit(alice, { framing: 'public', inline: [add], authenticate: yes })
    const welcome: Bytes = pending.welcomes[0]?.bytes ?? text('')
    const refMade = { ...made, keyPackage: dave }
    const joined = await join({ welcome, keyPackage: refMade, identity, authenticate: yes })
    expect(hex(joined.group.epochAuthenticator)).toBe(hex(pending.next.epochAuthenticator))
  })
})
