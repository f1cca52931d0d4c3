/** Key packages that are properly signed and wrong all the same. */
import { createCommit } from 'ts-mls'
import type { KeyPackage } from 'ts-mls'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { NOW } from '../conformance/world.ts'
import { configFor } from './group.ts'
import { LAST_RESORT_EXTENSION } from './suite.ts'
import { forgeKeyPackage } from './testing/forge.ts'
import { complaint, setStage } from './testing/stage.ts'
import type { Stage } from './testing/stage.ts'
import { leafAt } from './tree.ts'
import { decodePublishedKeyPackage, encodeKeyPackage, encodeMessage } from './wire.ts'

// The library checks lifetimes against the system clock when it commits.
beforeEach(() => vi.useFakeTimers({ toFake: ['Date'], now: Number(NOW) * 1_000 }))
afterEach(() => vi.useRealTimers())

const lastResort = { extensionType: LAST_RESORT_EXTENSION, extensionData: new Uint8Array() }

type Change = Omit<Parameters<typeof forgeKeyPackage>[2], 'signKey'>

/** What is said of a changed key package at the door, by an honest committer, and by one who receives a commit that adds it. */
const complaints = async (
  { suite, world, alice, bob, mallory, state }: Stage,
  change: (honest: KeyPackage) => Change,
): Promise<string[]> => {
  const identity = await world.device('Dave')
  const honest = decodePublishedKeyPackage((await world.publish(identity)).keyPackage)
  const keyPackage = await forgeKeyPackage(suite.cs, honest, { ...change(honest), signKey: identity.signature.secretKey })
  const published = encodeKeyPackage(keyPackage)
  const careless = { ...state(mallory), clientConfig: configFor([keyPackage.leafNode.credential]) }
  const options = { wireAsPublicMessage: true, extraProposals: [{ proposalType: 'add' as const, add: { keyPackage } }] }
  const { commit } = await createCommit({ state: careless, cipherSuite: suite.cs }, options)
  if (commit.wireformat !== 'mls_public_message') throw new Error('asked for a public message')
  return [
    await complaint(() => world.engine.inspectKeyPackage(published, NOW)),
    await complaint(() => world.engine.commit(alice.group, { add: [published], authenticate: world.authenticate })),
    await complaint(() => bob.hear(encodeMessage(commit))),
  ]
}

test('an honest key package passes all three doors', async () => {
  expect(await complaints(await setStage(), () => ({}))).toEqual(['accepted', 'accepted', 'accepted'])
})

test('B-109: a weak init key', async () => {
  const stage = await setStage()
  const weak = new Uint8Array(32).fill(0xff).with(31, 0x7f).with(0, 0xec)
  // The committer itself would fail at the HPKE step, so the library cannot make the commit.
  const identity = await stage.world.device('Dave')
  const honest = decodePublishedKeyPackage((await stage.world.publish(identity)).keyPackage)
  const forged = await forgeKeyPackage(stage.suite.cs, honest, { outer: { initKey: weak }, signKey: identity.signature.secretKey })
  const refused = await complaint(() => stage.world.engine.inspectKeyPackage(encodeKeyPackage(forged), NOW))
  expect(refused).toBe('invalid: encryption key is weak or not canonical')
})

test('B-111: an extension twice, or one that the capabilities do not list', async () => {
  const stage = await setStage()
  const twice = await complaints(stage, () => ({ outer: { extensions: [lastResort, lastResort] } }))
  expect(new Set(twice)).toEqual(new Set(['invalid: key package repeats an extension']))
  const unlisted = await complaints(stage, () => ({ outer: { extensions: [{ extensionType: 0xf0ee, extensionData: new Uint8Array() }] } }))
  expect(new Set(unlisted)).toEqual(new Set(['invalid: unlisted extension']))
})

test('B-107: an init key that is the encryption key', async () => {
  const stage = await setStage()
  const identity = await stage.world.device('Dave')
  const honest = decodePublishedKeyPackage((await stage.world.publish(identity)).keyPackage)
  const forged = await forgeKeyPackage(stage.suite.cs, honest, {
    outer: { initKey: honest.leafNode.hpkePublicKey },
    signKey: identity.signature.secretKey,
  })
  expect(await complaint(() => stage.world.engine.inspectKeyPackage(encodeKeyPackage(forged), NOW))).toBe(
    'invalid: init key equals encryption key',
  )
})

test('B-107: the encryption key of a member, taken over by a newcomer', async () => {
  const stage = await setStage()
  const taken = leafAt(stage.state(stage.alice).ratchetTree, stage.bob.leaf)?.hpkePublicKey ?? new Uint8Array()
  const [, committer, receiver] = await complaints(stage, () => ({ leaf: { hpkePublicKey: taken } }))
  expect([committer, receiver]).toEqual(Array(2).fill('invalid: an encryption key is used twice'))
})
