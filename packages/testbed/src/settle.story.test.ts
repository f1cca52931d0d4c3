/** A device that is about to go: what it owes the others is done first, and it does not wait for what it cannot do. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld, until, type World } from './index.ts'

const PATIENCE = { within: 15_000 }

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

test('what was written is with the server, and what was read is told, before a device goes', async () => {
  const [alice, bob] = await Promise.all([world.signedUp('Alice'), world.signedUp('Bob')])
  const conversation = await alice.startDirect({ handle: 'bob' })
  await bob.conversation('Alice')
  for (const text of ['one', 'two', 'three']) await alice.send({ conversation, text })
  expect(await alice.settle(PATIENCE)).toBe('settled')
  alice.weather.cut()
  await bob.sees(conversation, ['one', 'two', 'three'])
  await bob.markRead({ conversation, seq: (await bob.sees(conversation, ['one', 'two', 'three'])).items.at(-1)?.seq ?? 0 })
  expect(await bob.settle(PATIENCE)).toBe('settled')
  bob.weather.cut()
  alice.weather.restore()
  await alice.messageBecomes(conversation, 'three', 'read')
})

test('whoever adds somebody has told them the title before it goes', async () => {
  const [carol, dan] = await Promise.all([world.signedUp('Carol'), world.signedUp('Dan')])
  const group = await carol.createGroup({ title: 'Beekeepers', handles: [] })
  await carol.addPeople({ conversation: group, handles: ['dan'] })
  expect(await carol.settle(PATIENCE)).toBe('settled')
  carol.weather.cut()
  expect(await dan.conversation('Beekeepers')).toBe(group)
})

test('offline it does not wait, and after a while it waits no more', async () => {
  const [erin, frank] = await Promise.all([world.signedUp('Erin'), world.signedUp('Frank')])
  const conversation = await erin.startDirect({ handle: 'frank' })
  await frank.conversation('Erin')
  await erin.settle(PATIENCE)
  expect(await erin.settle(PATIENCE)).toBe('settled')
  erin.weather.loseAnswers()
  await erin.send({ conversation, text: 'unanswered' })
  expect(await erin.settle({ within: 300 })).toBe('waiting')
  erin.weather.cut()
  await until(erin.watch('connection'), ({ kind }) => kind === 'offline')
  expect(await erin.settle(PATIENCE)).toBe('waiting')
  erin.weather.restore()
  await erin.online()
  expect(await erin.settle(PATIENCE)).toBe('settled')
})
