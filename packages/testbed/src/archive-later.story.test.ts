/** Old history in places where it meets something newer: groups that are joined again, expiries, and logs that are slower than the archive. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openMemoryStore, openDevice } from '@tacit/sdk/node'
import { platformClock, type Messenger } from '@tacit/sdk'
import { noticesOf, openWorld, PASSWORD, textsOf, until, type World, type WorldDevice } from './index.ts'

// Several devices, each with all of its rounds, on a machine that may be slow.
vi.setConfig({ testTimeout: 240_000 })

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const archived = (device: Pick<Messenger, 'watch'>) =>
  until(device.watch('history'), (history) => history !== undefined && history.waiting === 0 && !history.restoring)

const accountOf = (device: WorldDevice) => {
  const session = device.watch('session').get()
  if (session.kind !== 'signed_in') throw new Error('not signed in')
  return session.me.account
}

test('a group that somebody was in before shows their old lines on a new device, as left, and goes on below them when they are back', async () => {
  const [alice, bob] = [await world.signedUp('Alice'), await world.signedUp('Bob')]
  const group = await alice.createGroup({ title: 'Choir', handles: ['bob'] })
  await bob.conversation('Choir')
  await alice.send({ conversation: group, text: 'first rehearsal' })
  await bob.sees(group, ['first rehearsal'])
  await bob.settle({ within: 20_000 })
  await alice.removePerson({ conversation: group, account: accountOf(bob) })
  await until(bob.watch('conversations'), (list) => list?.find((one) => one.conversation === group)?.standing === 'removed')
  await bob.settle({ within: 20_000 })
  await archived(bob)

  const tablet = await world.signedIn('bob')
  await until(tablet.watch('conversations'), (list) => list?.find((one) => one.conversation === group)?.standing === 'left')
  const before = await tablet.sees(group, ['first rehearsal'])
  expect(before.items.some((item) => item.kind === 'message' && item.sender.handle === 'Alice')).toBe(true)
  const list = await until(tablet.watch('conversations'), (all) => all?.some((one) => one.conversation === group && one.last) ?? false)
  expect(list?.find((one) => one.conversation === group)).toMatchObject({ title: 'Choir', unread: 0, last: { preview: 'first rehearsal' } })

  await alice.addPeople({ conversation: group, handles: ['bob'] })
  await tablet.conversation('Choir')
  await alice.send({ conversation: group, text: 'welcome back' })
  const after = await tablet.sees(group, ['first rehearsal', 'welcome back'])
  const seqs = after.items.flatMap(({ seq }) => seq ?? [])
  expect(seqs).toEqual(seqs.toSorted((one, other) => one - other))
  expect(noticesOf(after.items)).not.toContain('tampering')
  await until(tablet.watch('conversations'), (all) => all?.find((one) => one.conversation === group)?.unread === 1)
})

test('what an own device archived before the log brought it is taken once, counts as news, and is no repeat', async () => {
  const [carol, dan] = [await world.signedUp('Carol'), await world.signedUp('Dan')]
  const conversation = await carol.startDirect({ handle: 'dan' })
  await dan.send({ conversation: await dan.conversation('Carol'), text: 'one' })
  await carol.sees(conversation, ['one'])
  await carol.settle({ within: 20_000 })
  const tablet = await world.signedIn('carol')
  await tablet.sees(conversation, ['one'])
  await tablet.conversation('Dan')
  // The tablet's log stands still, its archive does not.
  tablet.weather.forge((event) => (event.name === 'delivery.entries' ? { ...event, body: { ...event.body, entries: [] } } : event))
  await dan.send({ conversation, text: 'two' })
  await carol.sees(conversation, ['one', 'two'])
  await carol.settle({ within: 20_000 })
  await archived(carol)
  await tablet.sees(conversation, ['one', 'two'])
  tablet.weather.forge((event) => event)
  tablet.weather.endSockets()
  await dan.send({ conversation, text: 'three' })
  const seen = await tablet.sees(conversation, ['one', 'two', 'three'])
  expect(noticesOf(seen.items).filter((line) => line.startsWith('unreadable') || line === 'tampering')).toEqual([])
  await until(tablet.watch('conversations'), (list) => list?.find((one) => one.conversation === conversation)?.unread === 2)
})

test('an expired message is not restored, and whoever writes next takes it out of the archive', async () => {
  const store = openMemoryStore()
  const erin = await openDevice({ server: world.url, store })
  await erin.signUp({ handle: 'Erin', password: PASSWORD })
  const conversation = await erin.createGroup({ title: 'Notes', handles: [] })
  await archived(erin)
  await erin.send({ conversation, text: 'gone soon' })
  await until(
    erin.watch('timeline', conversation),
    (timeline) => timeline?.items.some((item) => item.kind === 'message' && item.seq !== undefined) ?? false,
  )
  const half = platformClock.now() + 1_800_000
  await store.transaction((writer) => writer.run("update item set expires = ? where text = 'gone soon'", [half]))
  await erin.settle({ within: 20_000 })
  await archived(erin)
  const before = erin.watch('history').get()?.messages ?? 0
  await erin.close()

  // An hour later.
  const clock = { ...platformClock, now: () => platformClock.now() + 3_600_000 }
  const later = await openDevice({ server: world.url, store: ':memory:', clock })
  await later.signIn({ handle: 'erin', password: PASSWORD })
  await until(later.watch('conversations'), (list) => list?.[0]?.standing === 'active')
  await archived(later)
  expect(textsOf(later.watch('timeline', conversation).get()?.items ?? [])).toEqual([])
  const { conversations } = await later.exportHistory()
  expect(JSON.stringify(conversations)).not.toContain('gone soon')
  // Its own arrival is in the archive, the expired message is not.
  const lines = conversations.reduce((sum, { items }) => sum + items.length, 0)
  await until(later.watch('history'), (history) => history?.messages === lines)
  expect(before).toBeGreaterThan(0)
  await later.close()
})

test('who begins anew on the device that has their history archives it anew, and nobody is told that the server did wrong', async () => {
  const [zoe, yann] = [await world.signedUp('Zoe'), await world.signedUp('Yann')]
  const conversation = await zoe.startDirect({ handle: 'yann' })
  await yann.conversation('Zoe')
  await zoe.send({ conversation, text: 'under the first key' })
  await yann.sees(conversation, ['under the first key'])
  await zoe.saveDraft({ conversation, text: 'half a thought' })
  await zoe.settle({ within: 20_000 })
  await archived(zoe)
  const [own] = await zoe.sessions()
  if (!own) throw new Error('no session')
  await zoe.revokeSession(own)
  await until(zoe.watch('session'), ({ kind }) => kind === 'session_ended')
  await zoe.enterRecoveryCode({ handle: 'zoe', code: await world.recover('zoe') })
  await zoe.resetAccount({ password: 'a fresh beginning' })
  await zoe.online()
  await zoe.send({ conversation, text: 'under the second key' })
  await yann.sees(conversation, ['under the first key', 'under the second key'])
  expect(await zoe.settle({ within: 20_000 })).toBe('settled')
  await until(zoe.watch('history'), (history) => history !== undefined && history.waiting === 0 && history.messages >= 2)
  expect(zoe.watch('history').get()?.trouble).toBeUndefined()
  const mine = await zoe.sees(conversation, ['under the first key', 'under the second key'])
  expect(noticesOf(mine.items)).not.toContain('tampering')

  const tablet = await world.device('zoe-tablet')
  await tablet.signIn({ handle: 'zoe', password: 'a fresh beginning' })
  const seen = await tablet.sees(conversation, ['under the first key', 'under the second key'])
  expect(noticesOf(seen.items)).not.toContain('tampering')
})

test('who begins anew on an empty device finds an archive with nothing in it, and fills it', async () => {
  const [uma, vito] = [await world.signedUp('Uma'), await world.signedUp('Vito')]
  const conversation = await uma.startDirect({ handle: 'vito' })
  await vito.conversation('Uma')
  await uma.send({ conversation, text: 'before' })
  await uma.settle({ within: 20_000 })
  await archived(uma)
  const empty = await world.device('uma-empty')
  await empty.enterRecoveryCode({ handle: 'uma', code: await world.recover('uma') })
  await empty.resetAccount({ password: 'a fresh beginning' })
  await empty.conversation('Vito')
  await vito.send({ conversation, text: 'after' })
  const seen = await empty.sees(conversation, ['after'])
  expect(noticesOf(seen.items)).toContain('history_begins')
  expect(await empty.settle({ within: 20_000 })).toBe('settled')
  await until(empty.watch('history'), (history) => history !== undefined && history.waiting === 0 && history.messages > 0)
  const tablet = await world.device('uma-tablet')
  await tablet.signIn({ handle: 'uma', password: 'a fresh beginning' })
  await tablet.sees(conversation, ['after'])
  expect(tablet.watch('history').get()?.trouble).toBeUndefined()
})

test('a group keeps its name for who comes back while nobody else is there to say it', async () => {
  const [olga, friend] = [await world.signedUp('Olga'), await world.signedUp('Olga-friend')]
  const group = await olga.createGroup({ title: 'Machines', handles: ['olga-friend'] })
  await friend.conversation('Machines')
  await olga.send({ conversation: group, text: 'spare parts' })
  await friend.sees(group, ['spare parts'])
  await olga.settle({ within: 20_000 })
  await archived(olga)
  friend.weather.cut()
  olga.weather.cut()

  const back = await world.device('olga')
  let busy = true
  back.weather.forgeAnswers((url, body) =>
    busy && url.includes('/archive/') ? { status: 503, failure: 'unavailable', details: {} } : body,
  )
  await back.signIn({ handle: 'olga', password: PASSWORD })
  await until(back.watch('conversations'), (all) => all?.find((one) => one.conversation === group)?.standing === 'active')
  busy = false
  await back.sees(group, ['spare parts'])
  await until(back.watch('conversations'), (all) => all?.some((one) => one.conversation === group && one.title === 'Machines') ?? false)
})
