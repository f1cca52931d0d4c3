/**
 * A server that does with somebody's archive what it likes: whatever it leaves out, exchanges, cuts, brings back or shows to one
 * device only is noticed, and never becomes history.
 */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { HistoryState } from '@tacit/sdk'
import { openWorld, PASSWORD, textsOf, until, type World, type WorldDevice } from './index.ts'

// Several devices, each with all of its rounds, on a machine that may be slow.
vi.setConfig({ testTimeout: 240_000 })

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

interface HeadBody {
  readonly version: number
  readonly bytes: string
}
interface SegmentBody {
  readonly version: number
  readonly bytes: string
}

const troubleOf = (device: WorldDevice, trouble: HistoryState['trouble']) =>
  until(device.watch('history'), (history) => history !== undefined && history.trouble === trouble && !history.restoring)

const archived = (device: WorldDevice) => until(device.watch('history'), (history) => history !== undefined && history.waiting === 0)

/** A person whose archive has several segments, one for each text, and what the server answered of it. */
async function archivist(handle: string, texts: readonly string[]) {
  const [writer] = [await world.signedUp(handle), await world.signedUp(`${handle}-friend`)]
  const conversation = await writer.startDirect({ handle: `${handle}-friend` })
  for (const text of texts) {
    await writer.send({ conversation, text })
    await writer.messageBecomes(conversation, text, 'accepted')
    await writer.settle({ within: 20_000 })
    await archived(writer)
  }
  return { writer, conversation }
}

const numberIn = (url: string): number => Number(/archive\/segments\/(\d+)/.exec(url)?.[1] ?? 0)
const isHead = (url: string): boolean => url.endsWith('/v1/archive')

/** A new device of the person, in front of a server that changes segments. */
async function newDevice(handle: string, forge: (number: number, body: SegmentBody) => unknown): Promise<WorldDevice> {
  const device = await world.device(`${handle}-tablet`)
  device.weather.forgeAnswers((url, body) => (numberIn(url) > 0 ? forge(numberIn(url), body as SegmentBody) : body))
  await device.signIn({ handle, password: PASSWORD })
  return device
}

test('segments that are cut short, exchanged, earlier ones or withheld are missed and not taken; given as they were, they are history', async () => {
  const texts = ['one', 'two', 'three']
  const { writer, conversation } = await archivist('Ada', texts)
  const seen = new Map<number, SegmentBody>()
  const first = await newDevice('Ada', (number, body) => {
    seen.set(number, body)
    return body
  })
  const { items } = await first.sees(conversation, texts)
  const two = items.find((item) => item.kind === 'message' && item.text === 'two')
  if (two?.kind !== 'message') throw new Error('not there')
  // Rewrites the segment: what was seen of it is an earlier one now.
  await writer.forget({ conversation, message: two.message })
  await writer.settle({ within: 20_000 })
  await first.sees(conversation, ['one', 'three'])

  const other = (number: number) => seen.get(number === 1 ? 2 : number - 1)?.bytes
  const tricks: readonly ((number: number, body: SegmentBody) => unknown)[] = [
    (_, body) => ({ ...body, bytes: Buffer.from(body.bytes, 'base64url').subarray(0, -4).toString('base64url') }),
    (number, body) => ({ ...body, bytes: other(number) ?? body.bytes }),
    (number, body) => ({ ...body, bytes: seen.get(number)?.bytes ?? body.bytes }),
    // One that is never answered as agreed holds up nothing but itself.
    (number, body) => (number === 2 ? { nothing: 'here' } : body),
  ]
  for (const trick of tricks) {
    const device = await newDevice('Ada', trick)
    await troubleOf(device, 'missing')
    expect(textsOf(device.watch('timeline', conversation).get()?.items ?? [])).not.toContain('two')
    device.weather.forgeAnswers((_, body) => body)
    device.weather.endSockets()
    await device.sees(conversation, ['one', 'three'])
    await troubleOf(device, undefined)
  }
})

test('a device that has seen a newer archive notices that the server shows an older one, and what is on the device is archived again', async () => {
  const { writer, conversation } = await archivist('Cleo', ['one'])
  const heads: HeadBody[] = []
  const device = await world.device('cleo-tablet')
  device.weather.forgeAnswers((url, body) => {
    if (isHead(url) && isHeadBody(body)) heads.push(body)
    return body
  })
  await device.signIn({ handle: 'cleo', password: PASSWORD })
  await device.sees(conversation, ['one'])
  const old = heads.at(-1)
  await writer.send({ conversation, text: 'two' })
  await writer.messageBecomes(conversation, 'two', 'accepted')
  await writer.settle({ within: 20_000 })
  await device.sees(conversation, ['one', 'two'])
  await until(device.watch('history'), (history) => history !== undefined && (heads.at(-1)?.version ?? 0) > (old?.version ?? 0))
  device.weather.forgeAnswers((url, body) => (isHead(url) && isHeadBody(body) ? old : body))
  device.weather.endSockets()
  await troubleOf(device, 'rolled_back')
  device.weather.forgeAnswers((_, body) => body)
  await device.restart()
  await troubleOf(device, 'rolled_back')
  await device.historyAlarmSeen()
  await until(device.watch('history'), (history) => history !== undefined && history.trouble === undefined)
})

test('a head that no own device made is not believed', async () => {
  const { conversation } = await archivist('Dot', ['one'])
  const device = await world.device('dot-tablet')
  device.weather.forgeAnswers((url, body) =>
    isHead(url) && isHeadBody(body) ? { ...body, bytes: `${body.bytes.slice(0, 60)}AAAA${body.bytes.slice(64)}` } : body,
  )
  await device.signIn({ handle: 'dot', password: PASSWORD })
  await device.conversation('Dot-friend')
  await troubleOf(device, 'unreadable')
  await device.sees(conversation, [])
})

function isHeadBody(body: unknown): body is HeadBody {
  return typeof body === 'object' && body !== null && 'bytes' in body && 'version' in body && 'quota' in body
}
