/** GroupInfos that a member signed and that are wrong all the same. */
import type { ClientState } from 'ts-mls'
import { createGroupInfo } from 'ts-mls/createCommit.js'
import { expect, test } from 'vitest'
import { publishGroupInfo, treeAndNote } from './group.ts'
import { NOTE_EXTENSION } from './suite.ts'
import { complaint, setStage } from './testing/stage.ts'
import type { Stage } from './testing/stage.ts'
import { encodeMessage } from './wire.ts'

const forgedInfo = (stage: Stage, edit: (state: ClientState) => Partial<ClientState>) =>
  publishGroupInfo(stage.suite, { ...stage.state(stage.mallory), ...edit(stage.state(stage.mallory)) })

const complaints = async ({ world }: Stage, groupInfo: Uint8Array): Promise<string[]> => {
  const identity = await world.device('Dave')
  return [
    await complaint(() => world.engine.inspectGroupInfo(groupInfo)),
    await complaint(() => world.engine.joinExternal({ groupInfo, identity, authenticate: world.authenticate })),
  ]
}

test('an honest GroupInfo is accepted', async () => {
  const stage = await setStage()
  expect(await complaints(stage, await forgedInfo(stage, () => ({})))).toEqual(['accepted', 'accepted'])
})

test('B-122: a tree that is not the one of the group context', async () => {
  const stage = await setStage()
  const withoutAlice = await forgedInfo(stage, ({ ratchetTree }) => ({ ratchetTree: ratchetTree.with(0, undefined) }))
  expect(await complaints(stage, withoutAlice)).toEqual(Array(2).fill('invalid: tree hash'))
})

test('B-122: a signer that is no member, or another member', async () => {
  const stage = await setStage()
  const claim = (leafIndex: number) => forgedInfo(stage, ({ privatePath }) => ({ privatePath: { ...privatePath, leafIndex } }))
  expect(await complaints(stage, await claim(3))).toEqual(Array(2).fill('invalid: group info signer'))
  expect(await complaints(stage, await claim(2 ** 32 - 1))).toEqual(Array(2).fill('invalid: group info signer'))
  expect(await complaints(stage, await claim(stage.alice.leaf))).toEqual(Array(2).fill('auth_failed: group info signature'))
})

test('B-122: another suite, a foreign extension in the group context, a repeated extension, no tree, no key to join by', async () => {
  const stage = await setStage()
  const { cs } = stage.suite
  const state = stage.state(stage.mallory)
  const context = (change: Partial<ClientState['groupContext']>) =>
    forgedInfo(stage, ({ groupContext }) => ({ groupContext: { ...groupContext, ...change } }))
  const other = await context({ cipherSuite: 'MLS_256_XWING_AES256GCM_SHA512_Ed25519' })
  expect(await complaints(stage, other)).toEqual(Array(2).fill('unsupported: ciphersuite'))
  const foreign = await context({ extensions: [{ extensionType: 0xf0ee, extensionData: new Uint8Array() }] })
  expect(await complaints(stage, foreign)).toEqual(Array(2).fill('unsupported: group context extensions'))
  const publish = async (extensions: ReturnType<typeof treeAndNote>) => {
    const groupInfo = await createGroupInfo(state.groupContext, state.confirmationTag, state, extensions, cs)
    return encodeMessage({ wireformat: 'mls_group_info', groupInfo })
  }
  const tree = treeAndNote(state.ratchetTree, new Uint8Array())
  expect(await complaints(stage, await publish([...tree, ...tree]))).toEqual(Array(2).fill('invalid: group info repeats an extension'))
  expect(await complaints(stage, await publish([]))).toEqual(Array(2).fill('unsupported: group info without a tree'))
  expect(await complaints(stage, await publish(tree))).toEqual(['accepted', 'unsupported: group info without external_pub'])
  const longNote = [...tree, { extensionType: NOTE_EXTENSION, extensionData: new Uint8Array(257) }]
  expect(await complaints(stage, await publish(longNote))).toEqual(Array(2).fill('too_large: note'))
})

test('a replaced leaf must be there, and need not be genuine any more', async () => {
  const stage = await setStage()
  const { world, mallory } = stage
  const groupInfo = await forgedInfo(stage, () => ({}))
  const identity = await world.device('Mallory')
  const revoked: typeof world.authenticate = async (leaf) =>
    (await world.authenticate(leaf)) &&
    leaf.signatureKey !== mallory.identity.signature.publicKey &&
    !same(leaf.signatureKey, mallory.identity.signature.publicKey)
  expect(await complaint(() => world.engine.joinExternal({ groupInfo, identity, replaces: 3, authenticate: revoked }))).toBe(
    'usage: no leaf to replace',
  )
  expect(await complaint(() => world.engine.joinExternal({ groupInfo, identity, authenticate: revoked }))).toBe(
    'policy: credential refused',
  )
  expect(await complaint(() => world.engine.joinExternal({ groupInfo, identity, replaces: mallory.leaf, authenticate: revoked }))).toBe(
    'accepted',
  )
})

const same = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, at) => byte === b[at])
