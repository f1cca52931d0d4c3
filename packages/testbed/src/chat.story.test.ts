import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld, until, type World } from './index.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

test('two people sign up and chat both ways; what is sent becomes delivered and read', async () => {
  const alice = await world.signedUp('Alice')
  const bob = await world.signedUp('Bob')
  const withBob = await alice.startDirect({ handle: 'bob' })
  await alice.send({ conversation: withBob, text: 'Hello Bob' })
  const withAlice = await bob.conversation('Alice')
  expect(withAlice).toBe(withBob)
  await bob.sees(withAlice, ['Hello Bob'])
  await alice.messageBecomes(withBob, 'Hello Bob', 'delivered')
  await bob.send({ conversation: withAlice, text: 'Hello Alice' })
  const timeline = await alice.sees(withBob, ['Hello Bob', 'Hello Alice'])
  await bob.markRead({ conversation: withAlice, seq: timeline.items.at(-1)?.seq ?? 0 })
  await alice.messageBecomes(withBob, 'Hello Bob', 'read')
  const list = await until(bob.watch('conversations'), (found) => found?.[0]?.last?.preview === 'Hello Alice')
  expect(list?.[0]).toMatchObject({ title: 'Alice', kind: 'direct', people: 2, unread: 0, last: { mine: true } })
})

test('somebody who writes is seen writing until the message is there', async () => {
  const carol = await world.signedUp('Carol')
  const dan = await world.signedUp('Dan')
  const conversation = await carol.startDirect({ handle: 'dan' })
  await dan.conversation('Carol')
  const typing = carol.watch('timeline', conversation)
  await dan.setTyping({ conversation, typing: true })
  await until(typing, (timeline) => timeline?.typing.some((person) => person.handle === 'Dan') ?? false)
  await dan.send({ conversation, text: 'done' })
  await carol.sees(conversation, ['done'])
  await until(typing, (timeline) => timeline?.typing.length === 0)
})

test('two people who start a direct conversation with each other at the same time have one', async () => {
  const erin = await world.signedUp('Erin')
  const frank = await world.signedUp('Frank')
  const [fromErin, fromFrank] = await Promise.all([erin.startDirect({ handle: 'frank' }), frank.startDirect({ handle: 'erin' })])
  expect(fromErin).toBe(fromFrank)
  await Promise.all([
    erin.send({ conversation: fromErin, text: 'me first' }),
    erin.conversation('Frank').then(() => frank.conversation('Erin')),
  ])
  await frank.sees(fromFrank, ['me first'])
  await frank.send({ conversation: fromFrank, text: 'no, me' })
  await erin.sees(fromErin, ['me first', 'no, me'])
  const list = await until(erin.watch('conversations'), (found) => found !== undefined)
  expect(list?.length).toBe(1)
})

test('who is online is seen only when both share it', async () => {
  const grace = await world.signedUp('Grace')
  const heidi = await world.signedUp('Heidi')
  const conversation = await grace.startDirect({ handle: 'heidi' })
  await heidi.conversation('Grace')
  await grace.send({ conversation, text: 'there?' })
  await heidi.sees(conversation, ['there?'])
  await heidi.send({ conversation, text: 'here' })
  await grace.sees(conversation, ['there?', 'here'])
  await grace.setPresenceSharing({ on: true })
  await heidi.details(conversation, (details) => details.members.every((member) => member.online === undefined))
  await heidi.setPresenceSharing({ on: true })
  await until(grace.watch('conversations'), (list) => list?.[0]?.peerOnline === true)
  await until(heidi.watch('conversations'), (list) => list?.[0]?.peerOnline === true)
  heidi.weather.cut()
  await until(grace.watch('conversations'), (list) => list?.[0]?.peerOnline === false)
})

test('nobody is found by a handle that is not theirs, and everybody by theirs in any case', async () => {
  const ivan = await world.signedUp('Ivan')
  expect(await ivan.findPerson({ handle: 'nobody-here' })).toBeUndefined()
  expect(await ivan.findPerson({ handle: 'iVAN' })).toMatchObject({ handle: 'Ivan' })
  await expect(ivan.startDirect({ handle: 'nobody-here' })).rejects.toMatchObject({ failure: 'not_found' })
})
