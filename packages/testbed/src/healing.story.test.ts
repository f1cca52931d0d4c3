import type { ConversationId, Entry } from '@tacit/contract'
import { openDevice, openMemoryStore } from '@tacit/sdk/node'
import { describe, expect, test, vi } from 'vitest'
import { openWorld, PASSWORD, ShiftedClock, textsOf, Thief, until, Weather, type World, type WorldDevice } from './index.ts'

const MINUTE = 60_000

/** A device whose store lies open, and everything of its logs that came to it. */
async function victim(world: World, clock: ShiftedClock) {
  const store = openMemoryStore()
  const weather = new Weather()
  const entries: Entry[] = []
  weather.forge((event) => {
    if (event.name === 'delivery.entries') entries.push(...event.body.entries)
    return event
  })
  const device = await openDevice({ server: world.url, store, clock, network: weather })
  await device.signUp({ handle: 'Victim', password: PASSWORD })
  const sees = (conversation: ConversationId, text: string) =>
    until(device.watch('timeline', conversation), (now) => textsOf(now?.items ?? []).includes(text))
  const inside = async (conversation: ConversationId) => {
    await until(
      device.watch('conversations'),
      (list) => list?.some((one) => one.conversation === conversation && one.standing === 'active') ?? false,
    )
    // Until its person has answered it brings no keys of its own.
    await device.acceptRequest({ conversation })
  }
  return { device, store, entries, sees, inside, weather }
}

/** Reads everything that came since last time; how many messages it could read, and how many there were. */
function reader(thief: Thief, entries: readonly Entry[]) {
  let at = entries.length
  return async () => {
    const fresh = entries.slice(at)
    at = entries.length
    let read = 0
    for (const entry of fresh) if ((await thief.reads(entry)) && entry.kind === 'message') read++
    return { read, of: fresh.filter(({ kind }) => kind === 'message').length }
  }
}

/** The device has made keys of its own for the conversation, at this time or later. */
const hasKeysSince = (device: Awaited<ReturnType<typeof victim>>, conversation: ConversationId, time: number) =>
  vi.waitFor(async () => {
    const row = await device.store.get('select healed from conversation where conversation = ?', [conversation])
    expect(Number(row?.['healed'])).toBeGreaterThanOrEqual(time)
  }, 20_000)

describe('whoever copied a device’s state reads along', () => {
  test('in a chat of two until its next reply after ten minutes, and not a message further', async () => {
    const clock = new ShiftedClock()
    await using world = await openWorld()
    const alice = await world.signedUp('Alice')
    const bob = await victim(world, clock)
    const chat = await alice.startDirect({ handle: 'victim' })
    await bob.inside(chat)
    await hasKeysSince(bob, chat, 1)
    const gives = reader(await Thief.copies(bob.store, chat), bob.entries)

    await alice.send({ conversation: chat, text: 'one' })
    await bob.sees(chat, 'one')
    await bob.device.send({ conversation: chat, text: 'two' })
    await alice.sees(chat, ['one', 'two'])
    await alice.send({ conversation: chat, text: 'three' })
    await bob.sees(chat, 'three')
    // An engine opens nothing of its own leaf, so what the victim wrote is not counted against it.
    expect(await gives()).toMatchObject({ of: 3, read: 2 })

    clock.ahead = 10 * MINUTE
    await bob.device.send({ conversation: chat, text: 'four' })
    await alice.sees(chat, ['one', 'two', 'three', 'four'])
    await alice.send({ conversation: chat, text: 'five' })
    await bob.sees(chat, 'five')
    expect(await gives()).toEqual({ of: 2, read: 0 })
    await bob.device.close()
  }, 60_000)

  test('in a group of five until the day is over, though the device writes nothing', async () => {
    const clock = new ShiftedClock()
    await using world = await openWorld()
    const others = await Promise.all(['Alice', 'Bob', 'Carol', 'Dave'].map((handle) => world.signedUp(handle)))
    const [alice] = others as [WorldDevice]
    const erin = await victim(world, clock)
    const group = await alice.createGroup({ title: 'Five', handles: ['bob', 'carol', 'dave', 'victim'] })
    await erin.inside(group)
    await hasKeysSince(erin, group, 1)
    const gives = reader(await Thief.copies(erin.store, group), erin.entries)

    for (const [at, device] of others.entries()) await device.send({ conversation: group, text: `morning ${at}` })
    for (const at of others.keys()) await erin.sees(group, `morning ${at}`)
    expect(await gives()).toEqual({ of: 4, read: 4 })

    clock.ahead = 24 * 60 * MINUTE
    const nextDay = clock.now()
    await alice.send({ conversation: group, text: 'the next day' })
    await erin.sees(group, 'the next day')
    await hasKeysSince(erin, group, nextDay)
    await alice.send({ conversation: group, text: 'healed' })
    await erin.sees(group, 'healed')
    expect(await gives()).toEqual({ of: 2, read: 1 })
    await erin.device.close()
  }, 60_000)
})

test('a chat of five hundred messages in five minutes makes at most eleven updates of a device', async () => {
  await using world = await openWorld()
  const [alice, bob] = await Promise.all(['Alice', 'Bob'].map((handle) => world.signedUp(handle)))
  if (!alice || !bob) throw new Error('an empty world')
  const chat = await alice.startDirect({ handle: 'bob' })
  await bob.conversation('Alice')
  const begun = alice.weather.said('conversations.commit')
  const last = (device: WorldDevice, text: string) =>
    until(device.watch('timeline', chat), (now) => textsOf(now?.items ?? []).at(-1) === text)
  for (let turn = 0; turn < 250; turn++) {
    await alice.send({ conversation: chat, text: `a${turn}` })
    await last(bob, `a${turn}`)
    await bob.send({ conversation: chat, text: `b${turn}` })
    await last(alice, `b${turn}`)
  }
  const updates = [alice.weather.said('conversations.commit') - begun, bob.weather.said('conversations.commit')]
  for (const count of updates) {
    expect(count).toBeGreaterThanOrEqual(8)
    expect(count).toBeLessThanOrEqual(11)
  }
}, 180_000)
