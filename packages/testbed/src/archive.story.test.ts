import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { noticesOf, openWorld, PASSWORD, textsOf, until, type World, type WorldDevice } from './index.ts'

// Several devices, each with all of its rounds, on a machine that may be slow.
vi.setConfig({ testTimeout: 240_000 })

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

/** Resolves when everything that the device has is in the archive. */
const archived = (device: WorldDevice) => until(device.watch('history'), (history) => history !== undefined && history.waiting === 0)

test('what was written before a device came is on it, in its place, and what comes after goes on', async () => {
  const [alice, bob] = [await world.signedUp('Alice'), await world.signedUp('Bob')]
  const direct = await alice.startDirect({ handle: 'bob' })
  const group = await bob.createGroup({ title: 'Garden', handles: ['alice'] })
  await alice.conversation('Garden')
  await alice.send({ conversation: direct, text: 'one' })
  await bob.sees(direct, ['one'])
  await bob.send({ conversation: direct, text: 'two' })
  await bob.send({ conversation: group, text: 'beans' })
  await alice.sees(direct, ['one', 'two'])
  await alice.sees(group, ['beans'])
  await alice.settle({ within: 20_000 })
  await archived(alice)

  const tablet = await world.signedIn('alice')
  const seen = await tablet.sees(direct, ['one', 'two'])
  expect(noticesOf(seen.items)).not.toContain('history_begins')
  await tablet.sees(group, ['beans'])
  await tablet.conversation('Garden')
  await bob.send({ conversation: direct, text: 'three' })
  const later = await tablet.sees(direct, ['one', 'two', 'three'])
  const seqs = later.items.flatMap(({ seq }) => seq ?? [])
  expect(seqs).toEqual(seqs.toSorted((one, other) => one - other))
  expect(textsOf(later.items)).toEqual(['one', 'two', 'three'])
})

/** Two people with a conversation in which so many messages were written by the first, all archived. */
async function written(handle: string, texts: readonly string[]) {
  const [writer, reader] = [await world.signedUp(handle), await world.signedUp(`${handle}-friend`)]
  const conversation = await writer.startDirect({ handle: `${handle}-friend` })
  for (const text of texts) await writer.send({ conversation, text })
  await writer.sees(conversation, texts)
  await writer.settle({ within: 20_000 })
  await archived(writer)
  return { writer, reader, conversation }
}

const messagesIn = (device: WorldDevice): number => device.watch('history').get()?.messages ?? 0

test('two devices that archive the same at once write it once, and both know that it is there', async () => {
  const { writer, reader, conversation } = await written('Carol', ['to begin with'])
  const tablet = await world.signedIn('carol')
  await tablet.sees(conversation, ['to begin with'])
  await until(tablet.watch('history'), (history) => history !== undefined && !history.restoring)
  const before = messagesIn(writer)
  await tablet.conversation('Carol-friend')
  const texts = ['to begin with', 'one', 'two', 'three']
  for (const text of texts.slice(1)) await reader.send({ conversation, text })
  await Promise.all([writer, tablet].map((device) => device.sees(conversation, texts)))
  await Promise.all([writer, tablet].map((device) => device.settle({ within: 20_000 })))
  await Promise.all([writer, tablet].map(archived))
  await until(writer.watch('history'), (history) => history?.messages === messagesIn(tablet))
  const { conversations } = await writer.exportHistory()
  const lines = conversations.reduce((sum, { items }) => sum + items.length, 0)
  expect(messagesIn(writer)).toBeGreaterThanOrEqual(before + 3)
  expect(messagesIn(writer)).toBeLessThanOrEqual(lines + 2)

  const third = await world.signedIn('carol')
  await third.sees(conversation, texts)
})

test('a message deleted for oneself goes from all own devices, from the archive and from the next device, and stays with the others', async () => {
  const { writer, reader, conversation } = await written('Dave', ['keep this', 'a slip of the tongue', 'and this'])
  const tablet = await world.signedIn('dave')
  const { items } = await tablet.sees(conversation, ['keep this', 'a slip of the tongue', 'and this'])
  const slip = items.find((item) => item.kind === 'message' && item.text.startsWith('a slip'))
  if (slip?.kind !== 'message') throw new Error('not there')
  await writer.forget({ conversation, message: slip.message })
  await writer.sees(conversation, ['keep this', 'and this'])
  await writer.settle({ within: 20_000 })
  await archived(writer)
  await tablet.sees(conversation, ['keep this', 'and this'])
  const next = await world.signedIn('dave')
  await next.sees(conversation, ['keep this', 'and this'])
  await reader.sees(conversation, ['keep this', 'a slip of the tongue', 'and this'])
  await expect(next.forget({ conversation, message: slip.message })).rejects.toMatchObject({ failure: 'not_found' })
})

test('what is written while the archive is off is not in it; erased, it is empty; switched on again, it takes what the device has', async () => {
  const { writer, conversation } = await written('Erin', ['before'])
  await writer.setHistory({ on: false })
  await writer.send({ conversation, text: 'off the record' })
  await writer.sees(conversation, ['before', 'off the record'])
  await writer.settle({ within: 20_000 })
  const tablet = await world.signedIn('erin')
  await until(tablet.watch('history'), (history) => history?.on === false && !history.restoring)
  await tablet.sees(conversation, ['before'])

  await tablet.eraseHistory()
  await until(writer.watch('history'), (history) => history?.messages === 0 && history.used === 0)
  const empty = await world.signedIn('erin')
  await until(empty.watch('history'), (history) => history?.on === false)
  expect(textsOf((await empty.sees(conversation, [])).items)).toEqual([])

  await writer.setHistory({ on: true })
  await archived(writer)
  await empty.sees(conversation, ['before', 'off the record'])
  await tablet.sees(conversation, ['before', 'off the record'])
})

test('an offline device archives when it is back, and what its person wrote elsewhere meanwhile is there as well', async () => {
  const { writer, reader, conversation } = await written('Frank', ['together'])
  const tablet = await world.signedIn('frank')
  await tablet.sees(conversation, ['together'])
  await tablet.conversation('Frank-friend')
  await writer.send({ conversation, text: 'written before the tunnel' })
  await reader.conversation('Frank')
  await reader.sees(conversation, ['together', 'written before the tunnel'])
  await writer.messageBecomes(conversation, 'written before the tunnel', 'delivered')
  writer.weather.cut()
  const texts = ['together', 'written before the tunnel', 'from the tablet']
  await tablet.send({ conversation, text: 'from the tablet' })
  await reader.sees(conversation, texts)
  writer.weather.restore()
  await writer.sees(conversation, texts)
  await archived(writer)
  const next = await world.signedIn('frank')
  await next.sees(conversation, texts)
})

test('an empty device reads the newest part of the archive first', async () => {
  const { writer, conversation } = await written('Nora', ['long ago'])
  for (const text of ['yesterday', 'just now']) {
    await writer.send({ conversation, text })
    await writer.settle({ within: 20_000 })
    await archived(writer)
  }
  const asked: number[] = []
  const tablet = await world.device('nora')
  tablet.weather.forgeAnswers((url, body) => {
    const number = /\/archive\/segments\/(\d+)$/.exec(url)?.[1]
    if (number !== undefined) asked.push(Number(number))
    return body
  })
  await tablet.signIn({ handle: 'nora', password: PASSWORD })
  await tablet.sees(conversation, ['long ago', 'yesterday', 'just now'])
  expect(asked.length).toBeGreaterThan(1)
  expect(asked).toEqual(asked.toSorted((one, other) => other - one))
})
