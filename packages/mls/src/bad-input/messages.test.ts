/** B-097 to B-106: messages that are well-formed and not what they say. Each leaves the group as it was. */
import { afterEach, expect, test, vi } from 'vitest'
import { hex, refusal, utf8 } from '../conformance/world.ts'
import type { Seat } from '../conformance/world.ts'
import { stateOf } from '../group/handle.ts'
import { encodeMutated } from '../group/mutate.test-support.ts'
import type { Bytes } from '../port.ts'
import { encode } from '../public/codec.ts'
import { signContent } from '../public/content-auth.ts'
import { mlsMessageCodec, readMessage } from '../public/message.ts'
import { sealContent } from '../group/private-message.ts'
import { messageSecretsOf } from '../group/state.ts'
import { couple, forge, tagged, trio } from './cast.test-support.ts'
import { shapeOf } from './vectors-of.test-support.ts'

afterEach(() => vi.restoreAllMocks())

const withEpoch = (seat: Seat, message: Bytes, epoch: bigint): Bytes => {
  const changed = message.slice()
  new DataView(changed.buffer).setBigUint64(4 + 1 + seat.group.groupId.length, epoch)
  return changed
}

test('B-097 B-098: another group or epoch is told from the header, and nothing is decrypted or verified for it', async () => {
  const { alice, bob } = await couple()
  for (let epoch = 0; epoch < 2; epoch++) await alice.commit([bob])
  const sealed = await alice.say('hello')
  const { commit } = await alice.world.engine.commit(alice.group, { authenticate: alice.world.authenticate })
  const { suite } = stateOf(bob.group)
  const opened = vi.spyOn(suite.aead, 'open')
  const verified = vi.spyOn(suite.signature, 'verify')
  const now = bob.group.epoch
  for (const message of [sealed, commit]) {
    for (const epoch of [now + 1n, now + 1_000_000n, 2n ** 64n - 1n])
      expect(await refusal(() => bob.hear(withEpoch(bob, message, epoch)))).toBe('future_epoch')
    for (const epoch of [now - 2n, 0n]) expect(await refusal(() => bob.hear(withEpoch(bob, message, epoch)))).toBe('stale_epoch')
    expect(await refusal(() => bob.hear(message.with(6, (message[6] ?? 0) ^ 1)))).toBe('unknown_group')
  }
  // Only messages of the epoch before may be late, handshakes never.
  expect(await refusal(() => bob.hear(withEpoch(bob, commit, now - 1n)))).toBe('stale_epoch')
  expect(opened.mock.calls.length + verified.mock.calls.length).toBe(0)
  expect(await bob.read(sealed)).toBe('hello')
})

test('B-099: a sender that is blank, out of range or this very leaf is refused before anything is derived for it, in public too', async () => {
  const { alice, bob, carol } = await trio()
  // Carol stays, so that Bob's place and the one beside her are blank and still in the tree.
  await alice.commit([carol], { remove: [bob.leaf] })
  const state = stateOf(alice.group)
  const derived = vi.spyOn(state.suite.hash, 'expandAll')
  for (const leafIndex of [1, 3, 4, 77, 2 ** 31, 2 ** 32 - 1, carol.leaf]) {
    const { message } = await encodeMutated(state, { leafIndex, generation: 0 })
    derived.mockClear()
    const begun = performance.now()
    expect(await refusal(() => carol.hear(message))).toBe('invalid')
    expect(performance.now() - begun).toBeLessThan(250)
    // The key of the sender data, and no key of any ratchet.
    expect(derived.mock.calls.length).toBe(1)
  }
  for (const leafIndex of [1, 4, 2 ** 32 - 1]) {
    const content = { kind: 'proposal', proposal: { kind: 'remove', removed: 2 } } as const
    expect(await refusal(async () => carol.hear(await forge(state, { content, sender: { kind: 'member', leafIndex } })))).toBe('invalid')
  }
  expect(await carol.read(await alice.say('alive'))).toBe('alive')
})

test('B-100: application data in the clear is refused, whoever signed it', async () => {
  const { alice, bob } = await couple()
  const clear = await forge(stateOf(alice.group), { content: { kind: 'application', data: utf8('hello') } })
  expect(await refusal(() => bob.hear(clear))).toBe('invalid')
})

test('B-101: a flipped bit in ciphertext, sender data, authenticated data, signature or tag fails as what it is', async () => {
  const { alice, bob } = await couple()
  const { group, sealed, persist } = await alice.world.engine.seal(alice.group, utf8('hello'), utf8('for the server'))
  await alice.keep(group, persist)
  const before = bob.group
  const [, authenticated, senderData, ciphertext] = shapeOf(sealed).vectors
  for (const field of [authenticated, senderData, ciphertext]) {
    if (!field) throw new Error('a PrivateMessage has four vectors')
    for (const at of [field.from, field.end - 1])
      expect(await refusal(() => bob.hear(sealed.with(at, (sealed[at] ?? 0) ^ 1)))).toBe('auth_failed')
  }
  const { commit } = await alice.world.engine.commit(alice.group, { authenticate: alice.world.authenticate })
  const { message } = readMessage(commit, 'public')
  const { signature, confirmationTag = utf8(''), membershipTag = utf8('') } = { ...message.auth, membershipTag: message.membershipTag }
  const text = hex(commit)
  for (const part of [signature, confirmationTag, membershipTag]) {
    const at = text.lastIndexOf(hex(part)) / 2
    expect(await refusal(() => bob.hear(commit.with(at, (commit[at] ?? 0) ^ 1)))).toBe('auth_failed')
  }
  // A signature that is wrong under a membership tag that is right: an insider's forgery.
  const content = { wireFormat: 'public', framed: message.framed, auth: { ...message.auth, signature: new Uint8Array(64) } } as const
  expect(await refusal(async () => bob.hear(await tagged(stateOf(alice.group), content)))).toBe('auth_failed')
  expect(bob.group).toBe(before)
  expect(await bob.read(sealed)).toBe('hello')
})

test('B-103: a generation beyond the limit is too far before one key is derived for it', async () => {
  const { alice, bob } = await couple()
  const state = stateOf(alice.group)
  for (const generation of [65, 2 ** 32 - 1]) {
    const { message } = await encodeMutated(state, { leafIndex: alice.leaf, generation })
    const derived = vi.spyOn(state.suite.hash, 'expandAll')
    const expanded = vi.spyOn(state.suite.hash, 'expand')
    expect(await refusal(() => bob.hear(message))).toBe('too_far')
    expect([derived.mock.calls.length, expanded.mock.calls.length]).toEqual([1, 0])
    vi.restoreAllMocks()
  }
})

test('B-104: a generation that was consumed is a duplicate, in its own epoch and late', async () => {
  const { alice, bob } = await couple()
  const [one, two] = [await bob.say('one'), await bob.say('two')]
  await alice.read(one)
  expect(await refusal(() => alice.hear(one))).toBe('duplicate')
  await alice.commit([bob])
  expect(await refusal(() => alice.hear(one))).toBe('duplicate')
  expect(await alice.read(two)).toBe('two')
  expect(await refusal(() => alice.hear(two))).toBe('duplicate')
})

/**
 * RFC 9750 section 8.6: MLS alone cannot tell a message that its own sender encrypts a second time. What it can is bind the
 * content to its sender, so that the message id inside the payload is that sender's, and the application's duplicate check
 * (by that id, in the SDK) cannot be led astray by anybody else.
 */
test('B-105: what one member signed can be encrypted again by nobody else, and again by itself only as the same payload', async () => {
  const { alice, bob, carol } = await trio()
  const state = stateOf(alice.group)
  const framed = {
    groupId: state.context.groupId,
    epoch: state.context.epoch,
    sender: { kind: 'member', leafIndex: alice.leaf } as const,
    authenticatedData: utf8(''),
    content: { kind: 'application', data: utf8('message id 7: pay Bob') } as const,
  }
  const { secretKey } = alice.identity.signature
  const signature = await signContent(state.suite, { wireFormat: 'private', framed }, { context: state.context, secretKey })
  const content = { wireFormat: 'private', framed, auth: { signature, confirmationTag: undefined } } as const
  const seal = async (by: Seat, leafIndex: number) => {
    const secrets = messageSecretsOf(stateOf(by.group))
    const made = await sealContent(secrets, { ...content, framed: { ...framed, sender: { kind: 'member', leafIndex } } })
    return { message: encode(mlsMessageCodec, { kind: 'private', message: made.message }), secretTree: made.secretTree }
  }
  const first = await seal(alice, alice.leaf)
  expect(await bob.read(first.message)).toBe('message id 7: pay Bob')
  expect(await refusal(() => bob.hear(first.message))).toBe('duplicate')
  // Carol has read it too and says it in her own name, then in Alice's: neither signature fits.
  expect(await refusal(async () => bob.hear((await seal(carol, carol.leaf)).message))).toBe('auth_failed')
  const inHerName = { ...messageSecretsOf(state), secretTree: first.secretTree }
  const again = await sealContent(inHerName, content)
  const opened = await bob.hear(encode(mlsMessageCodec, { kind: 'private', message: again.message }))
  expect(opened.kind === 'message' && [opened.sender.leafIndex, new TextDecoder().decode(opened.payload)]).toEqual([
    alice.leaf,
    'message id 7: pay Bob',
  ])
  const altered = { ...content, framed: { ...framed, content: { kind: 'application', data: utf8('message id 8: pay Bob') } as const } }
  const forged = await sealContent({ ...inHerName, secretTree: again.secretTree }, altered)
  expect(await refusal(() => bob.hear(encode(mlsMessageCodec, { kind: 'private', message: forged.message })))).toBe('auth_failed')
})

test('B-106: a PrivateMessage that announces a commit and holds application data is refused, and costs nothing', async () => {
  const { alice, bob } = await couple()
  const sealed = await alice.say('hello')
  const typeAt = 4 + 1 + alice.group.groupId.length + 8
  const before = bob.group
  for (const type of [2, 3]) expect(await refusal(() => bob.hear(sealed.with(typeAt, type)))).toBe('unsupported')
  expect(bob.group).toBe(before)
  expect(await bob.read(sealed)).toBe('hello')
})
