import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld, PASSWORD, until, type World } from './index.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

test('a second device signs in with the password, joins by itself, and both receive', async () => {
  const alice = await world.signedUp('Alice')
  const bob = await world.signedUp('Bob')
  const direct = await alice.startDirect({ handle: 'bob' })
  const group = await bob.createGroup({ title: 'Garden', handles: ['alice'] })
  await alice.conversation('Garden')
  await alice.send({ conversation: direct, text: 'from the first' })
  await bob.sees(direct, ['from the first'])

  const tablet = await world.signedIn('ALICE')
  await Promise.all([tablet.conversation('Bob'), tablet.conversation('Garden')])
  await bob.send({ conversation: direct, text: 'to both' })
  await alice.sees(direct, ['from the first', 'to both'])
  const late = await tablet.sees(direct, ['to both'])
  expect(late.items.some((item) => item.kind === 'notice' && item.notice.kind === 'history_begins')).toBe(true)
  await tablet.send({ conversation: group, text: 'from the tablet' })
  await Promise.all([alice.sees(group, ['from the tablet']), bob.sees(group, ['from the tablet'])])
  const details = await bob.details(group, ({ members }) => members.some((member) => member.devices === 2))
  expect(details.members.length).toBe(2)
  expect((await alice.devices()).length).toBe(2)

  const third = await world.signedUp('Carol')
  const later = await third.startDirect({ handle: 'alice' })
  await third.send({ conversation: later, text: 'all devices at once' })
  await Promise.all([alice.sees(later, ['all devices at once']), tablet.sees(later, ['all devices at once'])])
})

test('a wrong password and an unknown handle are refused alike', async () => {
  await world.signedUp('Mallory')
  const device = await world.device('x')
  await expect(device.signIn({ handle: 'mallory', password: 'not the password' })).rejects.toMatchObject({ failure: 'wrong_credentials' })
  await expect(device.signIn({ handle: 'nobody', password: 'not the password' })).rejects.toMatchObject({ failure: 'wrong_credentials' })
})

test('signing out wipes the device, and the account lives on in the next', async () => {
  const dan = await world.signedUp('Dan')
  const erin = await world.signedUp('Erin')
  const conversation = await dan.startDirect({ handle: 'erin' })
  await dan.send({ conversation, text: 'secret of the old device' })
  await erin.sees(conversation, ['secret of the old device'])
  await dan.signOut()
  expect(dan.watch('session').get()).toEqual({ kind: 'signed_out', why: 'signed_out' })
  await expect(dan.send({ conversation, text: 'x' })).rejects.toMatchObject({ failure: 'not_signed_in' })

  await dan.signIn({ handle: 'dan', password: PASSWORD })
  await dan.conversation('Erin')
  await erin.send({ conversation, text: 'welcome back' })
  await dan.sees(conversation, ['welcome back'])
  await erin.details(conversation, ({ members }) => members.every((member) => member.devices === 1))
  expect((await dan.devices()).length).toBe(1)
})

test('a session that the server ended is told, and signing in again goes on with everything', async () => {
  const frank = await world.signedUp('Frank')
  const grace = await world.signedUp('Grace')
  const conversation = await frank.startDirect({ handle: 'grace' })
  await frank.send({ conversation, text: 'before' })
  await grace.sees(conversation, ['before'])
  const other = await world.signedIn('frank')
  const session = (await other.sessions()).find((one) => !one.current)
  if (!session) throw new Error('no other session')
  await other.revokeSession({ session: session.session })
  await until(frank.watch('session'), ({ kind }) => kind === 'session_ended')
  await frank.sees(conversation, ['before'])
  await frank.send({ conversation, text: 'written while out' })
  await frank.restart()
  await until(frank.watch('session'), ({ kind }) => kind === 'session_ended')
  await frank.signIn({ handle: 'frank', password: PASSWORD })
  await grace.sees(conversation, ['before', 'written while out'])
  await grace.send({ conversation, text: 'got it' })
  await frank.sees(conversation, ['before', 'written while out', 'got it'])
})
