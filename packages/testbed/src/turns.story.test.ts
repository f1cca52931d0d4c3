import type { ConversationId } from '@tacit/contract'
import { expect, test } from 'vitest'
import { openWorld, ShiftedClock, until, type World, type WorldDevice } from './index.ts'

const MEMBERS = 32

const commits = (devices: readonly WorldDevice[]): number =>
  devices.reduce((sum, { weather }) => sum + weather.said('conversations.commit'), 0)

/** All of these see so many people in the group. */
const count = async (devices: readonly WorldDevice[], conversation: ConversationId, people: number): Promise<void> => {
  for (const device of devices) await device.details(conversation, ({ members }) => members.length === people)
}

/** Each of these has made keys of its own since it joined, so nothing but what the test does is due. */
async function haveOwnKeys(devices: readonly WorldDevice[]): Promise<void> {
  for (const { weather } of devices) await expect.poll(() => weather.said('conversations.commit'), { timeout: 60_000 }).toBe(1)
}

/** A group of so many people, the first of whom made it; everybody is inside. */
async function groupOf(world: World, count: number) {
  const devices: WorldDevice[] = []
  for (let at = 0; at < count; at++) devices.push(await world.signedUp(`Member${'abcdefghijklmnopqrstuvwxyz'[at % 26]}${at}`))
  const [first, ...others] = devices
  if (!first) throw new Error('an empty group')
  const names = others.map(({ name }) => name)
  const group = await first.createGroup({ title: 'Turns', handles: names })
  for (const device of others) await device.conversation('Turns')
  return { devices, group, first }
}

test(`when one of ${MEMBERS} leaves, all others are online and one or two of them commit that`, async () => {
  await using world = await openWorld()
  const { devices, group } = await groupOf(world, MEMBERS)
  const leaver = devices.at(-1)
  if (!leaver) throw new Error('an empty group')
  const others = devices.slice(0, -1)
  const before = commits(others)
  await leaver.leave({ conversation: group })
  await count(others, group, MEMBERS - 1)
  expect(commits(others) - before).toBeLessThanOrEqual(2)
}, 240_000)

test('when the device whose turn it is goes away, another takes over', async () => {
  await using world = await openWorld()
  const { devices, group } = await groupOf(world, 4)
  const [leaver, ...others] = devices.toReversed()
  if (!leaver) throw new Error('an empty group')
  await haveOwnKeys(devices.slice(1))
  const elected: WorldDevice[] = []
  for (const device of others) {
    device.weather.forge((event) => {
      if (event.name !== 'turns.yours' || elected.push(device) > 1) return event
      device.weather.cut()
      return undefined
    })
  }
  await leaver.leave({ conversation: group })
  await expect.poll(() => elected.length, { timeout: 20_000 }).toBe(2)
  // Whoever is away sees it when they are back.
  const online = others.filter((device) => device !== elected[0])
  await count(online, group, 3)
}, 60_000)

test('a server that gives no turn to anybody delays what waits, and no more', async () => {
  await using world = await openWorld({ clock: new ShiftedClock({ pace: 4 }) })
  const { devices, group } = await groupOf(world, 4)
  for (const { weather } of devices) weather.forge((event) => (event.name === 'turns.yours' ? undefined : event))
  const leaver = devices.at(-1)
  if (!leaver) throw new Error('an empty group')
  await leaver.leave({ conversation: group })
  await count(devices.slice(0, -1), group, 3)
}, 60_000)

test('after a big add everybody brings own keys, at most one every few seconds', async () => {
  await using world = await openWorld()
  const { devices, group, first } = await groupOf(world, 6)
  const times: number[] = []
  const epoch = first.watch('details', group)
  let known = (await until(epoch, (details) => details !== undefined))?.encryption.epoch ?? 0
  const stop = epoch.subscribe(() => {
    const now = epoch.get()?.encryption.epoch ?? 0
    if (now > known) times.push(performance.now())
    known = now
  })
  const joiners = devices.slice(1)
  await haveOwnKeys(joiners)
  await expect.poll(() => times.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(joiners.length - 1)
  stop()
  const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0))
  expect(Math.min(...gaps)).toBeGreaterThan(3000)
}, 120_000)
