/** What a hostile member puts into an application message, and what is left of a message once it was read. */
import { expect, test } from 'vitest'
import { hex, refusal } from '../conformance/world.ts'
import { forgeMessage } from './testing/forge.ts'
import { complaint, setStage } from './testing/stage.ts'

test('B-099: a sender index that is blank, out of range or huge is refused at once and the process lives', async () => {
  const { suite, state, mallory, bob } = await setStage()
  for (const leafIndex of [3, 4, 1_000, 2 ** 31, 2 ** 32 - 1]) {
    const forged = await forgeMessage(suite.cs, state(mallory), { leafIndex })
    const begun = performance.now()
    expect(await refusal(() => bob.hear(forged))).toBe('invalid')
    expect(performance.now() - begun).toBeLessThan(250)
  }
})

test('a member cannot write under the name of another', async () => {
  const { suite, state, mallory, bob, alice } = await setStage()
  expect(await refusal(async () => bob.hear(await forgeMessage(suite.cs, state(mallory), { leafIndex: alice.leaf })))).toBe('auth_failed')
  expect(await refusal(async () => bob.hear(await forgeMessage(suite.cs, state(mallory), { leafIndex: bob.leaf })))).toBe('invalid')
  const own = await bob.hear(await forgeMessage(suite.cs, state(mallory), {}))
  expect(own.sender.leafIndex).toBe(mallory.leaf)
})

test('B-103: a generation of 2^32 - 1 is too far', async () => {
  const { suite, state, mallory, bob } = await setStage()
  expect(await refusal(async () => bob.hear(await forgeMessage(suite.cs, state(mallory), { generation: 2 ** 32 - 1 })))).toBe('too_far')
})

test('B-102: padding that is not zero, and content that is not canonical, are malformed', async () => {
  const { suite, state, mallory, bob } = await setStage()
  const forge = (edit: (plain: Uint8Array) => Uint8Array) => forgeMessage(suite.cs, state(mallory), { edit })
  expect(await refusal(async () => bob.hear(await forge((plain) => plain.with(plain.length - 1, 1))))).toBe('malformed')
  expect(await refusal(async () => bob.hear(await forge((plain) => new Uint8Array([0x40, ...plain]))))).toBe('malformed')
  expect(await refusal(async () => bob.hear(await forge((plain) => plain.subarray(0, 20))))).toBe('malformed')
  expect(await refusal(async () => bob.hear(await forge(() => new Uint8Array())))).toBe('malformed')
})

test('the ratchet secret of a consumed or skipped message is nowhere in what is stored', async () => {
  const { state, alice, bob } = await setStage()
  const secretOf = () => hex(state(bob).secretTree[alice.leaf * 2]?.application.secret ?? new Uint8Array())
  const consumed = [secretOf()]
  const skipped = await alice.say('skipped')
  for (const words of ['one', 'two', 'three']) {
    await bob.read(await alice.say(words))
    consumed.push(secretOf())
  }
  expect(skipped.length).toBeGreaterThan(0)
  const current = consumed.pop() ?? ''
  const stored = hex(bob.world.engine.snapshot(bob.group).bytes)
  expect(stored).toContain(current)
  for (const secret of consumed) expect(stored).not.toContain(secret)
  expect(stored).not.toContain(hex(bob.identity.signature.secretKey))
})

test('a PrivateMessage that claims to hold a handshake is not even decrypted', async () => {
  const { alice, bob } = await setStage()
  const sealed = await alice.say('hello')
  const contentTypeAt = 4 + 1 + alice.group.groupId.length + 8
  for (const type of [2, 3])
    expect(await complaint(() => bob.hear(sealed.with(contentTypeAt, type)))).toBe('unsupported: handshakes travel in the clear')
})

test('one past epoch is kept, never all of them', async () => {
  const { state, alice, bob, mallory } = await setStage()
  for (let round = 0; round < 4; round += 1) {
    await alice.commit([bob, mallory])
    expect([...state(bob).historicalReceiverData.keys()]).toEqual([bob.group.epoch - 1n])
    expect([...state(alice).historicalReceiverData.keys()]).toEqual([alice.group.epoch - 1n])
  }
})

test('private keys of nodes that vanished leave the state', async () => {
  const { state, world } = await setStage()
  const [alice, ...others] = await world.assemble('Alice', 'Bob', 'Carol', 'Dave', 'Erin')
  const [bob, carol, dave, erin] = others
  if (bob === undefined || carol === undefined || dave === undefined || erin === undefined) throw new Error('four were added')
  for (const seat of [alice, bob, carol, dave, erin]) await seat.commit([alice, ...others].filter((other) => other !== seat))
  const before = Object.keys(state(dave).privatePath.privateKeys).length
  await alice.commit([bob, dave, erin], { remove: [carol.leaf] })
  const after = state(dave)
  expect(Object.keys(after.privatePath.privateKeys).length).toBeLessThan(before)
  for (const index of Object.keys(after.privatePath.privateKeys)) expect(after.ratchetTree[Number(index)]).toBeDefined()
})
