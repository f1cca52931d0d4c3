import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ConversationId, openDevice, openEngine, openMemoryStore } from '@tacit/sdk/node'
import { openWorld, PASSWORD, ShiftedClock, textsOf, until, Weather, type World } from './index.ts'
import { randomId } from './wire-device.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

test('a reply after a while brings fresh keys into the conversation, and only then', async () => {
  const clock = new ShiftedClock()
  const alice = await world.signedUp('Alice')
  await using bob = await openDevice({ server: world.url, store: ':memory:', clock })
  await bob.signUp({ handle: 'Bob', password: PASSWORD })
  const conversation = await alice.startDirect({ handle: 'bob' })
  const epoch = bob.watch('details', conversation)
  const epochIs = (expected: number) => until(epoch, (details) => details?.encryption.epoch === expected)
  const say = async (text: string) => {
    await until(bob.watch('conversations'), (list) => list?.[0]?.standing === 'active')
    await bob.send({ conversation, text })
    await until(alice.watch('timeline', conversation), (now) => textsOf(now?.items ?? []).includes(text))
  }
  await epochIs(1)
  await say('my first words')
  await epochIs(2)
  await say('more of the same')
  await alice.send({ conversation, text: 'an answer' })
  await until(bob.watch('timeline', conversation), (now) => textsOf(now?.items ?? []).includes('an answer'))
  await say('at once')
  await epochIs(2)
  clock.ahead = 11 * 60_000
  await say('later')
  await epochIs(3)
})

test('who wants fresh keys now gets them, in twos and in groups, also when it was wished offline', async () => {
  const weather = new Weather()
  await using eve = await openDevice({ server: world.url, store: ':memory:', network: weather })
  await eve.signUp({ handle: 'Eve', password: PASSWORD })
  const fay = await world.signedUp('Fay')
  const conversation = await eve.startDirect({ handle: 'fay' })
  const [hers, his] = [eve.watch('details', conversation), fay.watch('details', conversation)]
  await until(his, (details) => details?.encryption.epoch === 1)
  const before = hers.get()?.encryption.renewed ?? 0
  await eve.rotateKeys({ conversation })
  for (const side of [hers, his]) await until(side, (details) => details?.encryption.epoch === 2)
  expect(hers.get()?.encryption.renewed).toBeGreaterThanOrEqual(before)

  weather.cut()
  const wished = eve.rotateKeys({ conversation })
  weather.restore()
  await wished
  for (const side of [hers, his]) await until(side, (details) => details?.encryption.epoch === 3)
  const nobodys = ConversationId.parse(randomId())
  await expect(eve.rotateKeys({ conversation: nobodys })).rejects.toMatchObject({ failure: 'not_found' })
})

test('key packages are refilled when few are left, and a last resort that was used is replaced', async () => {
  const store = openMemoryStore()
  const weather = new Weather()
  await using carol = await openDevice({ server: world.url, store, network: weather })
  await carol.signUp({ handle: 'Carol', password: PASSWORD })
  const dan = await world.signedUp('Dan')
  // Whom she has turned to herself may ask her into as many groups as they like.
  await carol.startDirect({ handle: 'dan' })
  const count = async (lastResort: boolean) =>
    Number((await store.get('select count(*) as n from key_package where last_resort = ?', [lastResort ? 1 : 0]))?.['n'])
  expect([await count(false), await count(true)]).toEqual([50, 1])
  weather.cut()
  for (let group = 1; group <= 51; group++) await dan.createGroup({ title: `Group ${group}`, handles: ['carol'] })
  weather.restore()
  await until(
    carol.watch('conversations'),
    (list) => list?.filter(({ kind, standing }) => kind === 'group' && standing === 'active').length === 51,
  )
  // The refill follows what was seen of it; nothing else tells that it is done.
  await vi.waitFor(async () => expect([await count(false), await count(true)]).toEqual([50, 2]), { timeout: 10_000 })
}, 60_000)

test('secrets that are used up are overwritten in memory as soon as what follows them is stored', async () => {
  const engine = await openEngine()
  const used: { readonly by: string; readonly secret: Uint8Array }[] = []
  const noting = <R extends { readonly wipe: readonly Uint8Array[] } | { readonly kind: string }>(by: string, result: R): R => {
    if ('wipe' in result) for (const secret of result.wipe) used.push({ by, secret })
    return result
  }
  const watched: typeof engine = {
    ...engine,
    seal: async (...given) => noting('seal', await engine.seal(...given)),
    open: async (...given) => noting('open', await engine.open(...given)),
    merge: (...given) => noting('merge', engine.merge(...given)),
  }
  await using nina = await openDevice({ server: world.url, store: openMemoryStore(), engine: watched })
  await nina.signUp({ handle: 'Nina', password: PASSWORD })
  const otto = await world.signedUp('Otto')
  const conversation = await nina.startDirect({ handle: 'otto' })
  await otto.conversation('Nina')
  await nina.send({ conversation, text: 'one' })
  await otto.sees(conversation, ['one'])
  await otto.send({ conversation, text: 'two' })
  await until(nina.watch('timeline', conversation), (now) => textsOf(now?.items ?? []).includes('two'))
  expect([...new Set(used.map(({ by }) => by))].toSorted()).toEqual(['merge', 'open', 'seal'])
  expect(used.filter(({ secret }) => secret.some((byte) => byte !== 0))).toEqual([])
})
