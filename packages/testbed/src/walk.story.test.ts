import { expect, test } from 'vitest'
import type { ConversationId, TimelineItem } from '@tacit/sdk'
import { noticesOf, openWorld, textsOf, until, type World, type WorldDevice } from './index.ts'

/** Steps of one walk; TACIT_WALK_SEED repeats a walk that failed. */
const STEPS = 60
const seed = Number(process.env['TACIT_WALK_SEED'] ?? 20261121)

/** A small generator of numbers (mulberry32): the same seed is the same walk. */
function numbers(from: number): (below: number) => number {
  let state = from
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

test(`whatever the weather, all devices end with the same messages in the same order (seed ${seed})`, async () => {
  await using world = await openWorld()
  const pick = numbers(seed)
  const devices = await castOf(world)
  const [first] = devices
  if (!first) throw new Error('an empty cast')
  const conversation = await first.createGroup({ title: 'Walk', handles: ['bob', 'carol'] })
  for (const device of devices) await device.conversation('Walk')

  const sent: string[] = []
  for (let step = 0; step < STEPS; step++) {
    const who = pick(devices.length)
    const device = devices[who]
    if (device) await act({ world, device, who, conversation, sent, step, choice: pick(100) })
  }
  for (const device of devices) device.weather.restore()

  const ends = await Promise.all(devices.map((device) => settled(device, conversation, sent.length)))
  const [texts, ...others] = ends.map(textsOf)
  expect(texts?.toSorted()).toEqual(sent.toSorted())
  for (const other of others) expect(other).toEqual(texts)
  for (const end of ends) expect(noticesOf(end).filter((line) => line.startsWith('unreadable') || line === 'tampering')).toEqual([])
  for (const who of devices.keys()) expect(by(who, texts ?? [])).toEqual(by(who, sent))
  const titles = await Promise.all(devices.map((device) => device.details(conversation, () => true).then(({ title }) => title)))
  expect(new Set(titles).size).toBe(1)
}, 120_000)

/** Alice with two devices, Bob and Carol. */
async function castOf(world: World): Promise<readonly WorldDevice[]> {
  const people = await Promise.all(['Alice', 'Bob', 'Carol'].map((handle) => world.signedUp(handle)))
  return [...people, await world.signedIn('alice')]
}

interface Step {
  readonly world: World
  readonly device: WorldDevice
  readonly who: number
  readonly conversation: ConversationId
  readonly sent: string[]
  readonly step: number
  /** 0 to 99. */
  readonly choice: number
}

async function act({ world, device, who, conversation, sent, step, choice }: Step): Promise<void> {
  if (choice < 55) {
    const text = `${who}: ${step}`
    await device.send({ conversation, text })
    sent.push(text)
  } else if (choice < 65) device.weather.cut()
  else if (choice < 77) device.weather.restore()
  else if (choice < 83) device.weather.endSockets()
  else if (choice < 87) device.weather.loseAnswers()
  else if (choice < 93) await device.restart()
  else if (choice < 96) await device.rename({ conversation, title: `Walk ${step}` })
  else if (choice < 98) await world.restartServer()
  else await device.markRead({ conversation, seq: step })
}

/** The timeline of a device that has sent and received everything. */
async function settled(device: WorldDevice, conversation: ConversationId, count: number): Promise<readonly TimelineItem[]> {
  const live = device.watch('timeline', conversation)
  const stop = live.subscribe(() => undefined)
  await until(live, (now) => now !== undefined)
  await device.loadEarlier({ conversation, count: 1000 })
  const end = await until(live, (now) => {
    const messages = now?.items.filter((item) => item.kind === 'message') ?? []
    return messages.length >= count && messages.every((item) => item.seq !== undefined)
  })
  stop()
  return end?.items ?? []
}

const by = (who: number, texts: readonly string[]): readonly string[] => texts.filter((text) => text.startsWith(`${who}:`))
