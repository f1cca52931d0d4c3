/** B-113 to B-121: commits of members and newcomers that are signed rightly and must not be taken, for each reason there is. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { NOW, refusal, utf8 } from '../conformance/world.ts'
import type { Seat } from '../conformance/world.ts'
import { stateOf } from '../group/handle.ts'
import type { Bytes } from '../port.ts'
import { keyPackage, propose, proposeAsExternal, proposeOwnAdd } from '../protocol/index.ts'
import { decode } from '../public/codec.ts'
import { keyPackageCodec } from '../public/leaf-node.ts'
import { readMessage } from '../public/message.ts'
import type { Commit, Proposal, ProposalOrRef, PskId } from '../public/proposal.ts'
import { commitOf, couple, forge, forgeCommit, inline, remove, tagged, trio } from './cast.test-support.ts'

afterEach(() => vi.restoreAllMocks())

/** The path of an honest commit, to put under other proposals. */
const pathOf = async (seat: Seat): Promise<Commit['path']> => {
  const { commit } = await seat.world.engine.commit(seat.group, { authenticate: seat.world.authenticate })
  return commitOf(commit).path
}

/** An Update proposal of `seat` that the others keep too; its reference. */
const proposeUpdate = async (seat: Seat, others: readonly Seat[]): Promise<Bytes> => {
  const made = await propose(seat.group, { kind: 'update' }, { framing: 'public', authenticate: seat.world.authenticate })
  const known = new Set(seat.group.pendingProposals.map(({ ref }) => ref.join()))
  await seat.keep(made.group, made.persist)
  for (const other of others) await other.hear(made.proposal)
  const ref = seat.group.pendingProposals.find((each) => !known.has(each.ref.join()))?.ref
  if (!ref) throw new Error('no proposal waits')
  return ref
}

const reference = (ref: Bytes): ProposalOrRef => ({ kind: 'reference', ref })

/** How Bob refuses Alice's commit of these. */
const refused = async (alice: Seat, bob: Seat, proposals: readonly ProposalOrRef[]): Promise<string> => {
  const path = await pathOf(alice)
  return refusal(async () => bob.hear(await forgeCommit(alice, { proposals, path })))
}

describe('B-113: a commit', () => {
  test('that removes its committer, a blank leaf, a leaf out of range, or one leaf twice is refused', async () => {
    const { alice, bob } = await trio()
    for (const proposals of [[remove(0)], [remove(3)], [remove(2 ** 32 - 1)], [remove(2), remove(2)]])
      expect(await refused(alice, bob, proposals)).toBe('invalid')
  })

  test('of the committer’s own update is refused', async () => {
    const { alice, bob, carol } = await trio()
    const ref = await proposeUpdate(alice, [bob, carol])
    expect(await refused(alice, bob, [reference(ref)])).toBe('invalid')
  })

  test('of two updates of one leaf, or of an update and a removal of it, is refused', async () => {
    const { alice, bob, carol } = await trio()
    const refs = [await proposeUpdate(carol, [alice, bob]), await proposeUpdate(carol, [alice, bob])]
    expect(await refused(alice, bob, refs.map(reference))).toBe('invalid')
    expect(await refused(alice, bob, [...refs.slice(0, 1).map(reference), remove(carol.leaf)])).toBe('invalid')
  })

  test('with an update inline, which nobody can make but by reference, is refused', async () => {
    const { alice, bob } = await trio()
    const leaf = stateOf(alice.group).tree.leaf(1)
    if (!leaf) throw new Error('Bob has a leaf')
    expect(await refused(alice, bob, [inline({ kind: 'update', leaf })])).toBe('invalid')
  })
})

describe('B-114: a commit', () => {
  test('that adds a member again, or one key package twice, is refused', async () => {
    const { world, alice, bob } = await trio()
    const twin = await world.publish(bob.identity)
    const carol = await world.publish(await world.device('Dave'))
    const add = (encoded: Bytes) => inline({ kind: 'add', keyPackage: decode(keyPackageCodec, encoded) })
    for (const proposals of [[add(twin.keyPackage)], [add(carol.keyPackage), add(carol.keyPackage)]])
      expect(await refusal(async () => bob.hear(await forgeCommit(alice, { proposals, path: undefined })))).toBe('invalid')
  })

  test('that changes the group context twice, or re-initialises beside anything else, is refused', async () => {
    const { alice, bob } = await trio()
    const { extensions } = stateOf(alice.group).context
    const change = inline({ kind: 'group_context_extensions', extensions })
    const reinit = inline({ kind: 'reinit', groupId: utf8('next'), version: 'mls10', suite: 1, extensions })
    expect(await refused(alice, bob, [change, change])).toBe('invalid')
    expect(await refused(alice, bob, [reinit, remove(2)])).toBe('invalid')
    expect(await refused(alice, bob, [reinit, reinit])).toBe('invalid')
  })

  test('with one PSK twice, with a nonce of the wrong length, or with a PSK of another purpose is refused', async () => {
    const { alice, bob } = await trio()
    const { groupId, epoch } = alice.group
    const external: PskId = { kind: 'external', id: utf8('psk'), nonce: new Uint8Array(32) }
    const linked = (usage: 'reinit' | 'branch'): PskId => ({ kind: 'resumption', usage, groupId, epoch, nonce: new Uint8Array(32) })
    const psk = (id: PskId) => inline({ kind: 'psk', psk: id })
    expect(await refused(alice, bob, [psk(external), psk(external)])).toBe('invalid')
    expect(await refused(alice, bob, [psk({ ...external, nonce: new Uint8Array(31) })])).toBe('invalid')
    for (const usage of ['reinit', 'branch'] as const) expect(await refused(alice, bob, [psk(linked(usage))])).toBe('invalid')
  })

  test('with an external init, which is for newcomers alone, is refused', async () => {
    const { alice, bob } = await trio()
    expect(await refused(alice, bob, [inline({ kind: 'external_init', kemOutput: new Uint8Array(32) })])).toBe('invalid')
  })
})

test('B-115: a path whose secrets cannot be decrypted, or are somebody else’s, is refused', async () => {
  const { alice, bob, carol } = await trio()
  await bob.commit([alice, carol])
  const path = await pathOf(alice)
  if (!path) throw new Error('an empty commit has a path')
  const spoilt = path.nodes.map((node) => ({
    ...node,
    encryptedPathSecrets: node.encryptedPathSecrets.map((each) => ({
      ...each,
      ciphertext: each.ciphertext.with(0, (each.ciphertext[0] ?? 0) ^ 1),
    })),
  }))
  const commit = await forgeCommit(alice, { proposals: [], path: { ...path, nodes: spoilt } })
  for (const seat of [bob, carol]) expect(await refusal(() => seat.hear(commit))).toBe('auth_failed')
})

test('B-116: a commit with a wrong confirmation tag is refused under a right membership tag, and so is one without any', async () => {
  const { alice, bob } = await couple()
  const { commit } = await alice.world.engine.commit(alice.group, { authenticate: alice.world.authenticate })
  const { framed, auth } = readMessage(commit, 'public').message
  const { confirmationTag = utf8('') } = auth
  const before = bob.group
  for (const tag of [confirmationTag.with(0, (confirmationTag[0] ?? 0) ^ 1), new Uint8Array(32), confirmationTag.slice(1)]) {
    const wrong = await tagged(stateOf(alice.group), { wireFormat: 'public', framed, auth: { ...auth, confirmationTag: tag } })
    expect(await refusal(() => bob.hear(wrong))).toBe('auth_failed')
  }
  const empty = await tagged(stateOf(alice.group), { wireFormat: 'public', framed, auth: { ...auth, confirmationTag: utf8('') } })
  expect(['auth_failed', 'invalid']).toContain(await refusal(() => bob.hear(empty)))
  const without = Uint8Array.of(...commit.subarray(0, commit.length - 2 * 33), ...commit.subarray(commit.length - 33))
  expect(await refusal(() => bob.hear(without))).toBe('malformed')
  expect(bob.group).toBe(before)
})

test('B-117: a commit of an unknown proposal, of one from another epoch, or of an unknown type is refused', async () => {
  const { alice, bob, carol } = await trio()
  expect(await refused(alice, bob, [reference(new Uint8Array(32))])).toBe('invalid')
  const old = await proposeUpdate(carol, [alice, bob])
  await alice.commit([bob, carol], { byReference: [] })
  expect(await refused(alice, bob, [reference(old)])).toBe('invalid')
  expect(await refused(alice, bob, [inline({ kind: 'custom', type: 0xf00d, data: utf8('') })])).toBe('unsupported')
})

describe('B-120: from outside', () => {
  test('no proposal is taken, neither of an external sender nor of a newcomer', async () => {
    const { world, alice, bob } = await couple()
    const dave = await world.device('Dave')
    const group = { suite: 1, groupId: alice.group.groupId, epoch: alice.group.epoch }
    const lifetime = { notBefore: NOW, notAfter: NOW + 1000n, lastResort: false }
    const own = await proposeOwnAdd({
      group,
      identity: dave,
      keyPackage: (await keyPackage({ suite: 1, identity: dave, ...lifetime })).keyPackage,
    })
    const wanted = { kind: 'remove', leafIndex: 1 } as const
    const external = await proposeAsExternal({ group, senderIndex: 0, secretKey: dave.signature.secretKey, wanted })
    for (const proposal of [own, external]) expect(await refusal(() => bob.hear(proposal))).toBe('policy')
    expect(bob.group.pendingProposals).toEqual([])
  })

  test('a commit of a newcomer is for the judge, and none of the wrong forms of one gets that far', async () => {
    const { world, alice, bob } = await couple()
    const { groupInfo } = await alice.commit([bob])
    const identity = await world.device('Dave')
    const joined = await world.engine.joinExternal({ groupInfo, identity, authenticate: world.authenticate })
    expect(await refusal(() => bob.hear(joined.commit, { judge: () => Promise.resolve(false) }))).toBe('policy')
    const { proposals, path } = commitOf(joined.commit)
    const state = stateOf(alice.group)
    const [init] = proposals
    if (!init || !path) throw new Error('an external commit has both')
    const { keyPackage: encoded } = await world.publish(await world.device('Eve'))
    const add = inline({ kind: 'add', keyPackage: decode(keyPackageCodec, encoded) })
    const change: Proposal = { kind: 'group_context_extensions', extensions: state.context.extensions }
    const wrong: readonly (readonly ProposalOrRef[])[] = [
      [],
      [init, init],
      [init, add],
      [init, inline(change)],
      [init, remove(0), remove(1)],
      [init, reference(new Uint8Array(32))],
      [init, inline({ kind: 'update', leaf: path.leaf })],
      [init, inline({ kind: 'reinit', groupId: utf8('x'), version: 'mls10', suite: 1, extensions: [] })],
      [init, remove(9)],
    ]
    const { secretKey } = identity.signature
    const judge = vi.fn(() => Promise.resolve(true))
    const send = (commit: Commit) => forge(state, { content: { kind: 'commit', commit }, sender: { kind: 'new_member_commit' }, secretKey })
    for (const each of wrong) {
      const forged = await send({ proposals: each, path })
      expect(await refusal(() => bob.hear(forged, { judge }))).toBe('invalid')
    }
    const pathless = await send({ proposals, path: undefined })
    expect(await refusal(() => bob.hear(pathless, { judge }))).toBe('invalid')
    expect(judge).not.toHaveBeenCalled()
  })
})

test('B-121: a commit with ten thousand proposals is too large before any signature or decryption', async () => {
  const { alice, bob } = await couple()
  const { suite } = stateOf(alice.group)
  const proposals = Array.from({ length: 10_000 }, (_, leafIndex) => remove(leafIndex))
  const commit = await forgeCommit(alice, { proposals, path: undefined })
  const [verified, opened] = [vi.spyOn(suite.signature, 'verify'), vi.spyOn(suite.hpke.kem, 'decapsulate')]
  expect(await refusal(() => bob.hear(commit))).toBe('too_large')
  expect(verified.mock.calls.length + opened.mock.calls.length).toBe(0)
})
