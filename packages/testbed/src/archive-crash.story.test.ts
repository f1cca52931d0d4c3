/** Processes that die while they archive or restore: at whatever write, the next one goes on, and nothing is lost or doubled. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { ConversationId, Messenger } from '@tacit/sdk'
import { openDevice, openNodeStore } from '@tacit/sdk/node'
import { MortalStore, openWorld, PASSWORD, textsOf, until, Weather, type Death, type World } from './index.ts'

// Several devices, each with all of its rounds, on a machine that may be slow.
vi.setConfig({ testTimeout: 240_000 })

let world: World
let folder: string
beforeAll(async () => {
  world = await openWorld()
  folder = await mkdtemp(join(tmpdir(), 'tacit-archive-'))
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** One life of a device; `death` is when it ends. */
async function live(name: string, death?: Death) {
  const inner = await openNodeStore({ path: join(folder, `${name}.db`) })
  let dead = () => {}
  const died = new Promise<void>((resolve) => (dead = resolve))
  const store = new MortalStore(inner, dead)
  const weather = new Weather()
  const device: Messenger = await openDevice({ server: world.url, store, network: weather })
  if (death) store.dieAt(death)
  const bury = async () => {
    weather.cut()
    await store.close()
  }
  return { device, died, bury }
}

const deaths: readonly Death[] = [1, 2, 3, 4, 6, 8].flatMap((write) => [{ before: write }, { after: write }])

const shows = (device: Messenger, conversation: ConversationId, texts: readonly string[]) =>
  until(device.watch('timeline', conversation), (timeline) => JSON.stringify(textsOf(timeline?.items ?? [])) === JSON.stringify(texts))

const archived = (device: Pick<Messenger, 'watch'>) =>
  until(device.watch('history'), (history) => history !== undefined && history.waiting === 0 && !history.restoring)

test('a process that dies while it archives has archived everything once when the next one is done', async () => {
  const first = await live('alice')
  await first.device.signUp({ handle: 'Alice', password: PASSWORD })
  const conversation = await first.device.createGroup({ title: 'Diary', handles: [] })
  await archived(first.device)
  await first.bury()

  const texts: string[] = []
  let died = 0
  for (const death of deaths) {
    const life = await live('alice', death)
    texts.push(`line ${texts.length}`)
    const sent = life.device.send({ conversation, text: texts.at(-1) ?? '' }).then(() => life.device.settle({ within: 20_000 }))
    died += await Promise.race([sent.then(() => 0), life.died.then(() => 1)])
    await life.bury()
    const next = await live('alice')
    // Words that died before they were stored were never written.
    await until(next.device.watch('connection'), ({ kind }) => kind === 'online')
    await next.device.settle({ within: 20_000 })
    const kept = textsOf(next.device.watch('timeline', conversation).get()?.items ?? [])
    if (!kept.includes(texts.at(-1) ?? '')) {
      const now = await until(next.device.watch('timeline', conversation), (timeline) => timeline !== undefined)
      if (!textsOf(now?.items ?? []).includes(texts.at(-1) ?? '')) texts.pop()
    }
    await archived(next.device)
    await next.bury()
  }
  expect(died).toBeGreaterThan(4)

  const other = await world.device('alice-2')
  await other.signIn({ handle: 'alice', password: PASSWORD })
  await other.sees(conversation, texts)
  const history = await archived(other)
  const { conversations } = await other.exportHistory()
  const lines = conversations.reduce((sum, { items }) => sum + items.length, 0)
  // What is in the archive twice would be counted twice.
  expect(history?.messages).toBeLessThanOrEqual(lines)
})

test('a process that dies while it restores has everything once when the next one is done', async () => {
  const writer = await world.signedUp('Bob')
  const conversation = await writer.createGroup({ title: 'Diary', handles: [] })
  const texts: string[] = []
  for (let at = 0; at < 6; at++) {
    texts.push(`line ${at}`)
    await writer.send({ conversation, text: `line ${at}` })
    await writer.messageBecomes(conversation, `line ${at}`, 'accepted')
    await writer.settle({ within: 20_000 })
  }
  await archived(writer)

  const first = await live('bob-2')
  await first.device.signIn({ handle: 'bob', password: PASSWORD })
  await first.bury()
  let died = 0
  for (const death of deaths) {
    const life = await live('bob-2', death)
    died += await Promise.race([archived(life.device).then(() => 0), life.died.then(() => 1)])
    await life.bury()
  }
  const last = await live('bob-2')
  const timeline = await shows(last.device, conversation, texts)
  expect(timeline?.items.filter(({ kind }) => kind === 'unreadable')).toEqual([])
  await last.bury()
  expect(died).toBeGreaterThan(2)
})
