/** Two people make sure, by another way than the server, that nobody stands between them. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConversationId } from '@tacit/sdk'
import { openWorld, until, type World, type WorldDevice } from './index.ts'

let world: World
let alice: WorldDevice
let bob: WorldDevice
let conversation: ConversationId
beforeAll(async () => {
  world = await openWorld()
  ;[alice, bob] = await Promise.all([world.signedUp('Alice'), world.signedUp('Bob')])
  conversation = await alice.startDirect({ handle: 'Bob' })
  await bob.conversation('Alice')
  await bob.send({ conversation, text: 'hello' })
  await alice.sees(conversation, ['hello'])
})
afterAll(() => world[Symbol.asyncDispose]())

const personOf = async (device: WorldDevice, handle: string) => {
  const person = await device.findPerson({ handle })
  if (!person) throw new Error(`no ${handle}`)
  return person
}

test('both see the same number, and the code of one marks the other as compared, also after a restart', async () => {
  const [{ account: bobs }, { account: alices }] = [await personOf(alice, 'Bob'), await personOf(bob, 'Alice')]
  const [seen, shown] = [await alice.safetyNumber({ account: bobs }), await bob.safetyNumber({ account: alices })]
  expect(seen.digits).toEqual(shown.digits)
  expect([seen.compared, shown.compared]).toEqual([false, false])
  expect(await alice.compareSafetyCode({ account: bobs, code: seen.code })).toBe('not_a_code')
  expect((await alice.safetyNumber({ account: bobs })).compared).toBe(false)
  expect(await alice.compareSafetyCode({ account: bobs, code: shown.code })).toBe('same')
  await alice.details(conversation, ({ members }) => members.some(({ account, compared }) => account === bobs && compared))
  await until(alice.watch('conversations'), (list) => list?.some(({ peerCompared }) => peerCompared === true) ?? false)
  await alice.restart()
  expect((await alice.safetyNumber({ account: bobs })).compared).toBe(true)
  await alice.setCompared({ account: bobs, same: false })
  await alice.details(conversation, ({ members }) => members.every(({ compared }) => !compared))
  expect((await bob.safetyNumber({ account: alices })).compared).toBe(false)
})

test('members who are in the same state of a group see the same number, another one after the next change of keys', async () => {
  const sameState = async () => {
    await Promise.all([alice.settle({ within: 10_000 }), bob.settle({ within: 10_000 })])
    const numbers = await Promise.all([alice, bob].map((device) => device.conversationNumber({ conversation: group })))
    expect(numbers[0]).toEqual(numbers[1])
    return numbers[0]
  }
  const group = await alice.createGroup({ title: 'Tea', handles: ['Bob'] })
  await bob.conversation('Tea')
  // Bob brings keys of his own in a moment; before that it would be chance whether both have them already.
  for (const device of [alice, bob]) await device.details(group, ({ encryption }) => encryption.epoch >= 2)
  const before = await sameState()
  await world.signedUp('Carol')
  await alice.addPeople({ conversation: group, handles: ['Carol'] })
  await bob.details(group, ({ members }) => members.length === 3)
  expect(await sameState()).not.toEqual(before)
})

test('there is no number with oneself, nor with somebody who is not known', async () => {
  const session = alice.watch('session').get()
  if (session.kind !== 'signed_in') throw new Error('not signed in')
  await expect(alice.safetyNumber({ account: session.me.account })).rejects.toMatchObject({ failure: 'not_allowed' })
  const stranger = await world.signedUp('Stranger')
  const other = stranger.watch('session').get()
  if (other.kind !== 'signed_in') throw new Error('not signed in')
  await expect(alice.safetyNumber({ account: other.me.account })).rejects.toMatchObject({ failure: 'not_found' })
})
