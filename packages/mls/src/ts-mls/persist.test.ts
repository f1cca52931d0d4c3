/** Storage: deltas only ever move a ratchet forward, stay in their slot and their epoch, and survive waiting proposals. */
import { expect, test } from 'vitest'
import type { Bytes, Persist, Slot } from '../port.ts'
import { text, utf8, view } from '../conformance/world.ts'
import type { Seat } from '../conformance/world.ts'
import { complaint, setStage } from './testing/stage.ts'

const deltaOf = (persist: Persist): Slot => {
  const [change] = persist.kind === 'delta' ? persist.slots : []
  if (change?.bytes === undefined) throw new Error('expected a delta')
  return { slot: change.slot, bytes: change.bytes }
}

const restore = (seat: Seat, snapshot: Bytes, slots: readonly Slot[]) =>
  seat.world.engine.restore({ snapshot, slots, identity: seat.identity })

test('a delta older than the snapshot does not turn the ratchet back', async () => {
  const { alice, bob, world } = await setStage()
  const { bytes: snapshot } = world.engine.snapshot(bob.group)
  const one = await alice.say('one')
  const first = deltaOf((await bob.hear(one)).persist)
  const two = await alice.say('two')
  const second = deltaOf((await bob.hear(two)).persist)
  expect(second.slot).toBe(first.slot)
  const later = world.engine.snapshot(bob.group).bytes
  const group = await restore(bob, later, [first])
  expect(await complaint(() => world.engine.open(group, two, world.hooks()))).toBe('duplicate: generation was consumed')
  const behind = await restore(bob, snapshot, [first])
  const opened = await world.engine.open(behind, two, world.hooks())
  expect(opened.kind === 'message' && text(opened.payload)).toBe('two')
})

test('a sender that restores never seals twice under one generation', async () => {
  const { alice, bob, world } = await setStage()
  const { bytes: snapshot } = world.engine.snapshot(alice.group)
  const { sealed, persist } = await world.engine.seal(alice.group, utf8('one'))
  const restored = await restore(alice, snapshot, [deltaOf(persist)])
  const again = await world.engine.seal(restored, utf8('two'))
  expect(await bob.read(sealed)).toBe('one')
  expect(await bob.read(again.sealed)).toBe('two')
})

test('a delta in a foreign slot, of another epoch, or damaged is refused', async () => {
  const { alice, bob, mallory, world } = await setStage()
  const { bytes: snapshot } = world.engine.snapshot(bob.group)
  const delta = deltaOf((await bob.hear(await alice.say('one'))).persist)
  expect(await complaint(() => restore(bob, snapshot, [{ ...delta, slot: 'elsewhere' }]))).toBe('invalid: delta in a foreign slot')
  expect(await complaint(() => restore(bob, snapshot, [{ ...delta, bytes: delta.bytes.subarray(1) }]))).toMatch(
    /malformed|unsupported|invalid/,
  )
  await alice.commit([bob, mallory])
  await alice.commit([bob, mallory])
  const later = world.engine.snapshot(bob.group).bytes
  expect(await complaint(() => restore(bob, later, [delta]))).toBe('invalid: delta of another epoch')
})

test('waiting proposals are deltas and come back with their author, leaf 0 too', async () => {
  const { alice, bob, mallory, world } = await setStage()
  const { bytes: snapshot } = world.engine.snapshot(bob.group)
  const { proposal } = await world.engine.proposeRemove(alice.group, mallory.leaf)
  const { persist, group } = await world.engine.open(bob.group, proposal, world.hooks())
  const restored = await restore(bob, snapshot, [deltaOf(persist)])
  expect(restored.pendingProposals).toEqual(group.pendingProposals)
  expect(view(restored)).toEqual(view(bob.group))
  expect(deltaOf(persist).bytes.length).toBeLessThan(256)
  const whole = await restore(bob, world.engine.snapshot(group).bytes, [])
  expect(whole.pendingProposals).toEqual(group.pendingProposals)
})

test('a snapshot of the other suite is unsupported', async () => {
  const { bob, world } = await setStage()
  const { bytes } = world.engine.snapshot(bob.group)
  expect(await complaint(() => restore(bob, bytes.with(2, 0x53), []))).toBe('unsupported: snapshot of another format or suite')
  expect(await complaint(() => restore(bob, bytes.with(0, 9), []))).toBe('unsupported: snapshot of another format or suite')
})
