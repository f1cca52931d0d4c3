/** B-122 to B-126: Welcomes and GroupInfos of an inviter that lies, signed and encrypted rightly. */
import { describe, expect, test } from 'vitest'
import { hex, NOW, refusal, utf8 } from '../conformance/world.ts'
import type { World } from '../conformance/world.ts'
import { suiteOf } from '../crypto/suite.ts'
import { makeCommit, makeWelcomes } from '../group/create-commit.ts'
import type { MadeCommit, PublishedInfo } from '../group/create-commit.ts'
import { stateOf } from '../group/handle.ts'
import { infoExtensions } from '../group/profile.ts'
import type { Bytes, KeyPackagePair, LeafIdentity } from '../port.ts'
import { planOf } from '../protocol/sending.ts'
import { encode } from '../public/codec.ts'
import { signLeaf } from '../public/leaf-node.ts'
import { RatchetTree } from '../public/tree.ts'
import { Cursor, join as joinBytes, opaque } from '../second-opinion/wire.ts'
import { couple } from './cast.test-support.ts'

interface Invitation {
  readonly world: World
  readonly dave: LeafIdentity
  readonly keyPackage: KeyPackagePair
  readonly made: MadeCommit
  readonly info: PublishedInfo
}

/** Alice's commit that adds Dave, before its Welcome is made. */
const invite = async (): Promise<Invitation> => {
  const { world, alice, bob } = await couple()
  await bob.commit([alice])
  const dave = await world.device('Dave')
  const keyPackage = await world.publish(dave)
  const state = stateOf(alice.group)
  const inline = [{ kind: 'add', keyPackage: keyPackage.keyPackage } as const]
  const made = await makeCommit(planOf(state, { framing: 'public', inline, authenticate: world.authenticate }))
  const { secretKey } = alice.identity.signature
  const info = {
    by: state.suite,
    start: made.start,
    signer: made.committer,
    secretKey,
    extensions: infoExtensions(utf8('')),
    withTree: true,
  }
  return { world, dave, keyPackage, made, info }
}

/** How Dave refuses the Welcome with this change of its GroupInfo. */
const refused = async (
  change: (invitation: Invitation) => Partial<PublishedInfo> | Promise<Partial<PublishedInfo>>,
  ratchetTree?: (tree: RatchetTree) => Bytes,
) => {
  const invitation = await invite()
  const { world, dave, keyPackage, made, info } = invitation
  const [welcome] = await makeWelcomes(made, { ...info, ...(await change(invitation)) })
  const apart = ratchetTree ? { ratchetTree: ratchetTree(made.start.tree) } : {}
  const request = { welcome: welcome?.bytes ?? utf8(''), keyPackage, identity: dave, authenticate: world.authenticate, now: NOW, ...apart }
  return world.engine.join(request).then(
    () => 'accepted',
    (error: unknown) => (error instanceof Error && 'reason' in error ? String(error.reason) : 'untyped'),
  )
}

/** Another tree, with its hash in the context: the lie is consistent. */
const withTree = ({ info }: Invitation, change: (tree: RatchetTree) => void): Partial<PublishedInfo> => {
  const tree = info.start.tree.clone()
  change(tree)
  return { start: { ...info.start, tree, context: { ...info.start.context, treeHash: tree.treeHash() } } }
}

describe('B-122: a Welcome', () => {
  test('without a lie is accepted, so that the lies below are what is refused', async () => {
    expect(await refused(() => ({}))).toBe('accepted')
  })

  test('whose tree hash is not that of its tree is refused', async () => {
    const change = ({ info }: Invitation) => ({
      start: { ...info.start, context: { ...info.start.context, treeHash: new Uint8Array(32) } },
    })
    expect(await refused(change)).toBe('invalid')
  })

  test('whose tree ends blank is refused', async () => {
    const apart = (tree: RatchetTree): Bytes => {
      const content = new Cursor(encode(RatchetTree.codec(suiteOf(1).hash), tree)).opaque()
      return opaque(joinBytes(content, Uint8Array.of(0)))
    }
    expect(await refused(() => ({ withTree: false }), apart)).toBe('malformed')
  })

  test('whose tree lacks the own leaf is refused', async () => {
    const change = (invitation: Invitation) =>
      withTree(invitation, (tree) => {
        tree.setLeaf(2, undefined)
        tree.truncate()
      })
    expect(await refused(change)).toBe('invalid')
  })

  test('into epoch 0 is refused', async () => {
    const change = ({ info }: Invitation) => ({ start: { ...info.start, context: { ...info.start.context, epoch: 0n } } })
    expect(await refused(change)).toBe('invalid')
  })

  test('whose tree has one encryption key or one signature key twice is refused', async () => {
    const twin = (share: 'encryptionKey' | 'signatureKey') => async (invitation: Invitation) => {
      const { world, info } = invitation
      const eve = await world.device('Eve')
      const bob = info.start.tree.leaf(1)
      const dave = info.start.tree.leaf(2)
      if (!bob || !dave) throw new Error('both have leaves')
      const by = info.by
      const { publicKey } = await by.hpke.kem.generate()
      const honest = {
        ...dave,
        encryptionKey: publicKey,
        signatureKey: eve.signature.publicKey,
        credential: { kind: 'custom', type: 0xf0a0, data: eve.credential } as const,
      }
      const unsigned =
        share === 'encryptionKey'
          ? { ...honest, encryptionKey: bob.encryptionKey }
          : { ...honest, signatureKey: dave.signatureKey, credential: dave.credential }
      const { secretKey } = share === 'encryptionKey' ? eve.signature : invitation.dave.signature
      const leaf = await signLeaf(by, unsigned, { groupId: new Uint8Array(), leafIndex: 0, secretKey })
      return withTree(invitation, (tree) => tree.setLeaf(3, leaf))
    }
    expect(await refused(twin('encryptionKey'))).toBe('invalid')
    expect(await refused(twin('signatureKey'))).toBe('invalid')
  })

  test('that names another signer, or a leaf that is blank, is refused', async () => {
    for (const signer of [1, 3, 2 ** 32 - 1]) expect(await refused(() => ({ signer }))).toBe('auth_failed')
  })

  test('into a group with a context extension that the own leaf does not list is refused', async () => {
    const change = ({ info }: Invitation) => {
      const extensions = [...info.start.context.extensions, { type: 0xf777, data: utf8('') }]
      return { start: { ...info.start, context: { ...info.start.context, extensions } } }
    }
    expect(await refused(change)).toBe('invalid')
  })

  test('whose transcript or confirmation tag is not that of the epoch is refused', async () => {
    const transcript = ({ info }: Invitation) => ({
      start: { ...info.start, context: { ...info.start.context, confirmedTranscriptHash: new Uint8Array(32) } },
    })
    expect(await refused(transcript)).toBe('auth_failed')
    const tag = ({ info }: Invitation) => ({ start: { ...info.start, confirmationTag: new Uint8Array(32) } })
    expect(await refused(tag)).toBe('auth_failed')
  })

  test('with a stranger in its tree is refused', async () => {
    const { world } = await couple()
    const change = async (invitation: Invitation) => {
      const ghost = await world.stranger('Bob')
      const bob = invitation.info.start.tree.leaf(2)
      if (!bob) throw new Error('Dave has a leaf')
      const { publicKey } = await invitation.info.by.hpke.kem.generate()
      const unsigned = {
        ...bob,
        encryptionKey: publicKey,
        signatureKey: ghost.signature.publicKey,
        credential: { kind: 'custom', type: 0xf0a0, data: ghost.credential } as const,
      }
      const leaf = await signLeaf(invitation.info.by, unsigned, {
        groupId: new Uint8Array(),
        leafIndex: 0,
        secretKey: ghost.signature.secretKey,
      })
      return withTree(invitation, (tree) => tree.setLeaf(3, leaf))
    }
    expect(await refused(change)).toBe('policy')
  })

  test('whose init key is consumed opens nothing', async () => {
    const { world, dave, keyPackage, made, info } = await invite()
    const [welcome] = await makeWelcomes(made, info)
    const request = { welcome: welcome?.bytes ?? utf8(''), identity: dave, authenticate: world.authenticate, now: NOW }
    const gone = { ...keyPackage, secret: keyPackage.secret.map(() => 0) }
    expect(['usage', 'auth_failed', 'invalid', 'malformed']).toContain(
      await refusal(() => world.engine.join({ ...request, keyPackage: gone })),
    )
    expect((await world.engine.join({ ...request, keyPackage })).group.members.length).toBe(3)
  })
})

/**
 * That the SDK ignores a Welcome to where it is already is the SDK's to show; here: no second one can come about in an epoch,
 * and opening one again leads to the very same group, not to another.
 */
test('B-124: a device is not welcomed twice, and the same Welcome leads to the same place', async () => {
  const { world, alice, bob } = await couple()
  const dave = await world.device('Dave')
  const [first, second] = [await world.publish(dave), await world.publish(dave)]
  const both = { add: [first.keyPackage, second.keyPackage], authenticate: world.authenticate }
  expect(await refusal(() => world.engine.commit(alice.group, both))).toBe('invalid')
  const { welcomes } = await alice.commit([bob], { add: [first.keyPackage] })
  expect(await refusal(() => bob.commit([], { add: [second.keyPackage] }))).toBe('invalid')
  const request = { welcome: welcomes[0]?.bytes ?? utf8(''), keyPackage: first, identity: dave, authenticate: world.authenticate, now: NOW }
  const [one, other] = [await world.engine.join(request), await world.engine.join(request)]
  expect(hex(one.group.epochAuthenticator)).toBe(hex(other.group.epochAuthenticator))
  expect(hex(one.group.epochAuthenticator)).toBe(hex(alice.group.epochAuthenticator))
  expect(await refusal(() => world.engine.join({ ...request, keyPackage: second }))).toBe('invalid')
})

test('B-126: who joins by a GroupInfo of an older epoch is refused as stale by everybody', async () => {
  const { world, alice, bob } = await couple()
  const { groupInfo } = await alice.commit([bob])
  await bob.commit([alice])
  const identity = await world.device('Dave')
  expect((await world.engine.inspectGroupInfo(groupInfo)).epoch).toBe(alice.group.epoch - 1n)
  const late = await world.engine.joinExternal({ groupInfo, identity, authenticate: world.authenticate })
  for (const seat of [alice, bob]) expect(await refusal(() => seat.hear(late.commit))).toBe('stale_epoch')
})
