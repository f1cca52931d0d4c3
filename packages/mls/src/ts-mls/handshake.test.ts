/** What a hostile member puts into a commit, authentic in every signature, and why it is refused all the same. */
import { bytesToBase64, createCommit } from 'ts-mls'
import type { Commit, KeyPackage, Proposal } from 'ts-mls'
import { describe, expect, test } from 'vitest'
import { expectAgreement, refusal, text, utf8 } from '../conformance/world.ts'
import type { JudgeCommit } from '../port.ts'
import { makeCommit } from './commit.ts'
import { renewPath } from './epoch.ts'
import { groupOf, policyExtension } from './group.ts'
import { joinByCommit } from './join.ts'
import { basicCredential } from './leaf.ts'
import type { Suite } from './suite.ts'
import { forgeCommit, forgeProposal } from './testing/forge.ts'
import { complaint, setStage } from './testing/stage.ts'
import type { Stage } from './testing/stage.ts'
import { decodePublic, decodePublishedKeyPackage, encodeMessage } from './wire.ts'

const inline = (...proposals: Proposal[]): Commit['proposals'] => proposals.map((proposal) => ({ proposalOrRefType: 'proposal', proposal }))
const remove = (removed: number): Proposal => ({ proposalType: 'remove', remove: { removed } })
const policy = (words: string): Proposal => ({
  proposalType: 'group_context_extensions',
  groupContextExtensions: { extensions: policyExtension(utf8(words)) },
})

const pathOf = async ({ suite, state, mallory }: Stage) => {
  const { ratchetTree: tree, groupContext: context, signaturePrivateKey: signKey } = state(mallory)
  return (await renewPath(suite.cs, { tree, leafIndex: mallory.leaf, context, signKey })).update
}

const packageOf = async ({ world }: Stage, name: string): Promise<KeyPackage> =>
  decodePublishedKeyPackage((await world.publish(await world.device(name))).keyPackage)

const expectRefused = async (stage: Stage, commit: Commit, reason: string): Promise<void> => {
  const { suite, state, mallory, bob } = stage
  const before = bob.group
  expect(await refusal(async () => bob.hear(await forgeCommit(suite.cs, state(mallory), commit)))).toBe(reason)
  expect(bob.group).toBe(before)
}

describe('proposals in a commit', () => {
  test('B-113: removing an empty leaf, a leaf twice, or oneself', async () => {
    const stage = await setStage()
    const path = await pathOf(stage)
    for (const removed of [3, 77, 2 ** 31, 2 ** 32 - 1]) await expectRefused(stage, { proposals: inline(remove(removed)), path }, 'invalid')
    await expectRefused(stage, { proposals: inline(remove(0), remove(0)), path }, 'invalid')
    await expectRefused(stage, { proposals: inline(remove(stage.mallory.leaf)), path }, 'invalid')
  })

  test('B-115: a removal, a policy change and an empty commit without a path', async () => {
    const stage = await setStage()
    for (const proposals of [inline(remove(0)), inline(policy('p')), []])
      await expectRefused(stage, { proposals, path: undefined }, 'invalid')
  })

  test('a policy change without a path is refused also when all its tags are right', async () => {
    const { suite, state, mallory, bob } = await setStage()
    const { commit } = await createCommit(
      { state: state(mallory), cipherSuite: suite.cs },
      { wireAsPublicMessage: true, extraProposals: [policy('p')] },
    )
    if (commit.wireformat !== 'mls_public_message') throw new Error('asked for a public message')
    expect(await refusal(() => bob.hear(encodeMessage(commit)))).toBe('invalid')
  })

  test('B-114: two policies, or a group context with anything but the policy', async () => {
    const stage = await setStage()
    const path = await pathOf(stage)
    await expectRefused(stage, { proposals: inline(policy('a'), policy('b')), path }, 'invalid')
    const foreign: Proposal = {
      proposalType: 'group_context_extensions',
      groupContextExtensions: {
        extensions: [...policyExtension(utf8('a')), { extensionType: 'external_senders', extensionData: utf8('') }],
      },
    }
    await expectRefused(stage, { proposals: inline(foreign), path }, 'unsupported')
    const none: Proposal = { proposalType: 'group_context_extensions', groupContextExtensions: { extensions: [] } }
    await expectRefused(stage, { proposals: inline(none), path }, 'unsupported')
  })

  test('B-117: kinds that have no business here, and references to nothing', async () => {
    const stage = await setStage()
    const path = await pathOf(stage)
    const { cipherSuite, version } = stage.state(stage.mallory).groupContext
    const odd: Proposal[] = [
      { proposalType: 'external_init', externalInit: { kemOutput: utf8('kem') } },
      { proposalType: 'reinit', reinit: { groupId: utf8('new'), version, cipherSuite, extensions: [] } },
      { proposalType: 'psk', psk: { preSharedKeyId: { psktype: 'external', pskId: utf8('id'), pskNonce: utf8('nonce') } } },
      { proposalType: 0xf0ff, proposalData: utf8('?') },
    ]
    for (const proposal of odd) await expectRefused(stage, { proposals: inline(proposal), path }, 'unsupported')
    await expectRefused(stage, { proposals: [{ proposalOrRefType: 'reference', reference: utf8('nothing') }], path }, 'invalid')
  })

  test('B-109 B-111: an added leaf with a weak key or without the capabilities of the group', async () => {
    const stage = await setStage()
    const honest = await packageOf(stage, 'Dave')
    const add = (leafNode: Partial<KeyPackage['leafNode']>): Proposal => ({
      proposalType: 'add',
      add: { keyPackage: { ...honest, leafNode: { ...honest.leafNode, ...leafNode } as KeyPackage['leafNode'] } },
    })
    await expectRefused(stage, { proposals: inline(add({ signaturePublicKey: new Uint8Array(32) })), path: undefined }, 'invalid')
    await expectRefused(stage, { proposals: inline(add({ hpkePublicKey: new Uint8Array(32) })), path: undefined }, 'invalid')
    const poor = { ...honest.leafNode.capabilities, extensions: [] }
    await expectRefused(stage, { proposals: inline(add({ capabilities: poor })), path: undefined }, 'unsupported')
    const x509 = { credentialType: 'x509' as const, certificates: [utf8('certificate')] }
    await expectRefused(stage, { proposals: inline(add({ credential: x509 })), path: undefined }, 'unsupported')
    await expectRefused(stage, { proposals: inline(add({ signature: new Uint8Array(64) })), path: undefined }, 'auth_failed')
  })

  test('a proposal on its own may only ask for a removal', async () => {
    const stage = await setStage()
    const { suite, state, mallory, bob } = stage
    const add: Proposal = { proposalType: 'add', add: { keyPackage: await packageOf(stage, 'Dave') } }
    for (const proposal of [add, policy('mine')]) {
      expect(await refusal(async () => bob.hear(await forgeProposal(suite.cs, state(mallory), proposal)))).toBe('unsupported')
    }
    expect(await refusal(async () => bob.hear(await forgeProposal(suite.cs, state(mallory), remove(50))))).toBe('invalid')
  })

  test('one member cannot fill the waiting list', { timeout: 60_000 }, async () => {
    const { world, suite, state } = await setStage()
    const [alice, bob] = await world.assemble('Alice', ...Array.from({ length: 18 }, (_, index) => `member ${index}`))
    if (bob === undefined) throw new Error('eighteen were added')
    for (let leaf = 0; leaf < 16; leaf += 1) await alice.hear(await forgeProposal(suite.cs, state(bob), remove(leaf)))
    expect(await refusal(async () => alice.hear(await forgeProposal(suite.cs, state(bob), remove(16))))).toBe('too_large')
    expect(await refusal(async () => alice.hear(await forgeProposal(suite.cs, state(bob), remove(3))))).toBe('duplicate')
  })
})

describe('paths', () => {
  /** A suite whose path keys have nothing to do with the path secrets. */
  const lying = (suite: Suite): Suite => ({
    ...suite,
    cs: { ...suite.cs, hpke: { ...suite.cs.hpke, deriveKeyPair: () => suite.cs.hpke.generateKeyPair() } },
  })

  test('B-115: path secrets that do not yield the published keys are refused, though every tag is right', async () => {
    const { suite, world, mallory, bob, alice } = await setStage()
    const { commit } = await makeCommit(lying(suite), mallory.group, { authenticate: world.authenticate })
    expect(await refusal(() => bob.hear(commit))).toBe('invalid')
    expect(await refusal(() => alice.hear(commit))).toBe('invalid')
    await mallory.commit([alice, bob])
    expectAgreement(alice, bob, mallory)
  })

  test('a joiner refuses such path secrets too', async () => {
    const { suite, world, mallory, bob } = await setStage()
    const identity = await world.device('Dave')
    const keyPackage = await world.publish(identity)
    const request = { add: [keyPackage.keyPackage], remove: [bob.leaf], authenticate: world.authenticate }
    const { welcomes } = await makeCommit(lying(suite), mallory.group, request)
    const welcome = welcomes[0]?.bytes ?? utf8('')
    expect(await refusal(() => world.engine.join({ welcome, keyPackage, identity, authenticate: world.authenticate, now: 0n }))).toBe(
      'invalid',
    )
  })

  test('a commit whose path changes the credential shows the judge an update, and asks for the new credential', async () => {
    const { suite, world, state, mallory, bob } = await setStage()
    const tree = state(mallory).ratchetTree.map((node, index) =>
      index === mallory.leaf * 2 && node?.nodeType === 'leaf'
        ? { ...node, leaf: { ...node.leaf, credential: basicCredential(utf8('certificate of Alice')) } }
        : node,
    )
    const changed = groupOf({ ...state(mallory), ratchetTree: tree })
    const { commit } = await makeCommit(suite, changed, { authenticate: world.authenticate })
    expect(await refusal(() => bob.hear(commit))).toBe('policy')
    const seen: string[] = []
    const judge: JudgeCommit = ({ changes }) => {
      for (const change of changes) if (change.kind === 'updated') seen.push(text(change.before.credential), text(change.after.credential))
      return Promise.resolve(false)
    }
    expect(await refusal(() => bob.hear(commit, { authenticate: () => Promise.resolve(true), judge }))).toBe('policy')
    expect(seen).toEqual(['certificate of Mallory', 'certificate of Alice'])
  })

  /** A suite that publishes the point at zero in place of the nth public key it exports. */
  const weakening = (suite: Suite, nth: number): Suite => {
    let exported = 0
    const exportPublicKey: Suite['cs']['hpke']['exportPublicKey'] = (key) => {
      exported += 1
      return exported === nth ? Promise.resolve(new Uint8Array(32)) : suite.cs.hpke.exportPublicKey(key)
    }
    return { ...suite, cs: { ...suite.cs, hpke: { ...suite.cs.hpke, exportPublicKey } } }
  }

  test('B-109: a weak key on the path is refused for what it is, though every tag is right', async () => {
    const { suite, world } = await setStage()
    const [mallory, bob] = await world.assemble('Mallory', 'Bob')
    if (bob === undefined) throw new Error('Bob was added')
    // With two members there is one node above the leaves, and a path exports it first.
    const { commit } = await makeCommit(weakening(suite, 1), mallory.group, { authenticate: world.authenticate })
    expect(await complaint(() => bob.hear(commit))).toBe('invalid: encryption key is weak or not canonical')
  })

  test('B-109: nor may an external joiner bring one', async () => {
    const { suite, world } = await setStage()
    const bob = await world.found('Bob')
    const { groupInfo } = await bob.commit([])
    const request = { groupInfo, identity: await world.device('Eve'), authenticate: world.authenticate }
    // The first two are its leaf and an init key that nobody sees.
    const { commit } = await joinByCommit(weakening(suite, 3), request)
    expect(await complaint(() => bob.hear(commit))).toBe('invalid: encryption key is weak or not canonical')
  })

  test('B-206: a path that reuses an encryption key of the tree, and one with a weak key', async () => {
    const stage = await setStage()
    const path = await pathOf(stage)
    const weak = { ...path, nodes: path.nodes.map((node) => ({ ...node, hpkePublicKey: new Uint8Array(32) })) }
    await expectRefused(stage, { proposals: [], path: weak }, 'invalid')
    await expectRefused(stage, { proposals: [], path: { ...path, nodes: path.nodes.slice(1) } }, 'invalid')
  })
})

describe('external commits', () => {
  test('B-120: nothing but one external_init and at most one removal, all inline', async () => {
    const stage = await setStage()
    const { suite, world, state, bob, alice } = stage
    const { groupInfo } = await alice.commit([bob, stage.mallory])
    const identity = await world.device('Eve')
    const joined = await world.engine.joinExternal({ groupInfo, identity, authenticate: world.authenticate })
    const { content } = decodePublic(joined.commit)
    if (content.contentType !== 'commit') throw new Error('an external join is a commit')
    const { path, proposals } = content.commit
    const from = { sender: { senderType: 'new_member_commit' as const }, signKey: identity.signature.secretKey }
    const add: Proposal = { proposalType: 'add', add: { keyPackage: await packageOf(stage, 'Dave') } }
    const bad: Commit['proposals'][] = [
      [],
      [...proposals, ...proposals],
      [...inline(remove(0), remove(1)), ...proposals],
      [...inline(remove(9)), ...proposals],
      [...inline(add), ...proposals],
      [...inline(policy('mine')), ...proposals],
      [...proposals, { proposalOrRefType: 'reference', reference: utf8('nothing') }],
    ]
    const unasked: JudgeCommit = () => Promise.reject(new Error('nothing malformed reaches the judge'))
    for (const list of bad) {
      const forged = await forgeCommit(suite.cs, state(bob), { proposals: list, path }, from)
      expect(await refusal(() => bob.hear(forged, { judge: unasked }))).toBe('invalid')
    }
    expect(await refusal(async () => bob.hear(await forgeCommit(suite.cs, state(bob), { proposals, path: undefined }, from)))).toBe(
      'invalid',
    )
    const weak = path === undefined ? undefined : { ...path, leafNode: { ...path.leafNode, signaturePublicKey: new Uint8Array(32) } }
    expect(await refusal(async () => bob.hear(await forgeCommit(suite.cs, state(bob), { proposals, path: weak }, from)))).toBe('invalid')
    await bob.hear(joined.commit)
    expect(bob.group.members.length).toBe(4)
  })

  test('a joiner cannot take the signature key of a member that stays', async () => {
    const { world, alice, bob } = await setStage()
    const { groupInfo } = await alice.commit([bob])
    const twin = { ...bob.identity, credential: bob.identity.credential }
    expect(await refusal(() => world.engine.joinExternal({ groupInfo, identity: twin, authenticate: world.authenticate }))).toBe('invalid')
  })
})

test('references in the state are those that the port shows', async () => {
  const { alice, bob, mallory, state } = await setStage()
  await alice.proposeRemove([bob, mallory], mallory.leaf)
  expect(bob.group.pendingProposals.map(({ ref }) => bytesToBase64(ref))).toEqual(Object.keys(state(bob).unappliedProposals))
})
