import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDevice } from '@tacit/sdk/node'
import { noticesOf, openWorld, PASSWORD, until, type World } from './index.ts'

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
  await alice.settle({ within: 20_000 })

  const tablet = await world.signedIn('ALICE')
  await Promise.all([tablet.conversation('Bob'), tablet.conversation('Garden')])
  await bob.send({ conversation: direct, text: 'to both' })
  await alice.sees(direct, ['from the first', 'to both'])
  await tablet.sees(direct, ['from the first', 'to both'])
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

test('a browser that lost its storage takes its old place when its owner signs in, name and all, and does not pile up', async () => {
  const uma = await world.signedUp('Uma')
  const victor = await world.signedUp('Victor')
  const conversation = await uma.startDirect({ handle: 'victor' })
  const laptop = await openDevice({ server: world.url, store: ':memory:' })
  await laptop.signIn({ handle: 'uma', password: PASSWORD, deviceName: 'Laptop' })
  await victor.details(conversation, ({ members }) => members.some((member) => member.devices === 2))
  const lost = (await laptop.devices()).find(({ current }) => current)?.device
  await laptop.close()

  await using again = await openDevice({ server: world.url, store: ':memory:', replaces: () => lost })
  await again.signIn({ handle: 'uma', password: PASSWORD, deviceName: 'Some browser' })
  const devices = await again.devices()
  expect(devices).toHaveLength(2)
  expect(devices.map(({ device }) => device)).not.toContain(lost)
  expect(devices.find(({ current }) => current)?.name).toBe('Laptop')
  // The lost one leaves the conversation, the new one is in it.
  await until(again.watch('conversations'), (list) => list?.[0]?.standing === 'active')
  await victor.details(conversation, ({ members }) => members.some((member) => member.handle === 'Uma' && member.devices === 2))
  await again.send({ conversation, text: 'back again' })
  await victor.sees(conversation, ['back again'])
})

test('a new device that comes to the door just as somebody commits knocks again', async () => {
  const greta = await world.signedUp('Greta')
  const group = await greta.createGroup({ title: 'Door', handles: [] })
  const doors: unknown[] = []
  const join = async (name: string, door: (body: unknown) => unknown) => {
    const device = await world.device(name)
    device.weather.forgeAnswers((url, body) => (url.includes(`${group}/group-info`) ? door(body) : body))
    await device.signIn({ handle: 'greta', password: PASSWORD })
    expect(await device.conversation('Door')).toBe(group)
  }
  await join('tablet', (body) => {
    doors.push(body)
    return body
  })
  // What the tablet saw is over: its own commit has begun another epoch.
  const past = doors[0]
  await join('phone', (body) => (doors.push(body) === 2 ? past : body))
  expect(doors.length).toBeGreaterThanOrEqual(3)
})

test('a new device to which the server did not say its conversations at first asks again on the same socket', async () => {
  const [sybil, tom] = [await world.signedUp('Sybil'), await world.signedUp('Tom')]
  const conversation = await sybil.startDirect({ handle: 'tom' })
  await tom.conversation('Sybil')
  const tablet = await world.device('sybil')
  let refused = 0
  tablet.weather.forgeAnswers((url, body) =>
    url.includes('/v1/conversations?') && refused < 2 ? { status: 503, failure: 'unavailable', details: {}, refused: ++refused } : body,
  )
  await tablet.signIn({ handle: 'sybil', password: PASSWORD })
  expect(await tablet.conversation('Tom')).toBe(conversation)
  expect([refused, tablet.weather.said('connection.hello')]).toEqual([2, 1])
})

test('a device that has not heard of its person’s newest device does not remove it', async () => {
  const henry = await world.signedUp('Henry')
  const iris = await world.signedUp('Iris')
  const group = await iris.createGroup({ title: 'Ivy', handles: ['henry'] })
  await henry.conversation('Ivy')
  await iris.send({ conversation: group, text: 'one' })
  await henry.sees(group, ['one'])
  await henry.settle({ within: 20_000 })
  henry.weather.cut()
  const tablet = await world.signedIn('henry')
  await tablet.conversation('Ivy')
  const { promise: later, resolve: answer } = Promise.withResolvers<void>()
  // Everything but the list of his own devices comes at once.
  henry.weather.forgeAnswers((url, body) => (url.includes('/device-list') ? later.then(() => body) : body))
  henry.weather.restore()
  await iris.send({ conversation: group, text: 'two' })
  await henry.sees(group, ['one', 'two'])
  await henry.settle({ within: 3000 })
  answer()
  await tablet.send({ conversation: group, text: 'still here' })
  const { items } = await iris.sees(group, ['one', 'two', 'still here'])
  expect(noticesOf(items)).not.toContain('device_removed Henry')
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
  await dan.sees(conversation, ['secret of the old device', 'welcome back'])
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

test('what comes while the answer to an own join is lost is not acknowledged before it can be read', async () => {
  const [ines, jon] = await Promise.all([world.signedUp('Ines'), world.signedUp('Jon')])
  const direct = await ines.startDirect({ handle: 'jon' })
  const group = await jon.createGroup({ title: 'Open door', handles: ['ines'] })
  await ines.conversation('Open door')
  const tablet = await world.device('ines-tablet')
  tablet.weather.loseAnswersTo(
    ({ name, body }) => name === 'conversations.commit' && 'conversation' in body && body.conversation === direct,
  )
  await tablet.signIn({ handle: 'ines', password: PASSWORD })
  await jon.details(direct, ({ members }) => members.some(({ devices }) => devices === 2))
  await jon.send({ conversation: direct, text: 'are you in?' })
  const { items } = await ines.sees(direct, ['are you in?'])
  const seq = items.at(-1)?.seq ?? 0
  // Acknowledgements go out in the order in which they fall due: this one would be the later of the two.
  await tablet.conversation('Open door')
  await jon.send({ conversation: group, text: 'over here' })
  const here = (await tablet.sees(group, ['over here'])).items.at(-1)?.seq ?? 0
  await tablet.weather.acknowledges(group, here)
  expect(tablet.weather.acknowledged(direct)).toBeLessThan(seq)

  tablet.weather.restore()
  tablet.weather.endSockets()
  await tablet.sees(direct, ['are you in?'])
})

test('D-5: a message that was accepted and not heard of before its device was removed and added again is in the log once', async () => {
  const [kai, lea] = await Promise.all([world.signedUp('Kai'), world.signedUp('Lea')])
  const conversation = await kai.createGroup({ title: 'In and out', handles: ['lea'] })
  await lea.conversation('In and out')
  await lea.send({ conversation, text: 'hello' })
  await kai.sees(conversation, ['hello'])
  lea.weather.loseAnswers()
  await lea.send({ conversation, text: 'did this arrive?' })
  await kai.sees(conversation, ['hello', 'did this arrive?'])
  lea.weather.cut()

  const session = lea.watch('session').get()
  if (session.kind !== 'signed_in') throw new Error('not signed in')
  await kai.removePerson({ conversation, account: session.me.account })
  await kai.details(conversation, ({ members }) => members.length === 1)
  await kai.addPeople({ conversation, handles: ['lea'] })
  await kai.details(conversation, ({ members }) => members.length === 2)
  lea.weather.restore()
  await lea.messageBecomes(conversation, 'did this arrive?', 'accepted')
  await lea.send({ conversation, text: 'back again' })
  const seen = await kai.sees(conversation, ['hello', 'did this arrive?', 'back again'])
  expect(noticesOf(seen.items).filter((notice) => notice.startsWith('unreadable') || notice === 'tampering')).toEqual([])
})
