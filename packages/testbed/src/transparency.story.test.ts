/** A server that shows different keys to different people, caught by the log of device lists (attacks M-05 and M-06). */
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { labelOf, readHead } from '@tacit/contract'
import { auditServer, platformNetwork, type ConversationId } from '@tacit/sdk'
import { MalloryLog } from './mallory/key-log.ts'
import { noticesOf, openWorld, until, type World, type WorldDevice } from './index.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

let pairs = 0

/** Two people in a conversation, both having compared the log once. */
async function pair(): Promise<{ alice: WorldDevice; bob: WorldDevice; conversation: ConversationId }> {
  pairs += 1
  const [alice, bob] = await Promise.all([world.signedUp(`Alice${pairs}`), world.signedUp(`Bob${pairs}x`)])
  const conversation = await alice.startDirect({ handle: `Bob${pairs}x` })
  await bob.conversation(`Alice${pairs}`)
  await bob.send({ conversation, text: 'hello' })
  await alice.sees(conversation, ['hello'])
  return { alice, bob, conversation }
}

const alarms = (device: WorldDevice, conversation: ConversationId) =>
  until(device.watch('timeline', conversation), (now) => noticesOf(now?.items ?? []).includes('tampering'))

/** An entry about somebody who does not exist. */
const ghost = () => ({ label: randomBytes(32), version: 1, list: createHash('sha256').update('a key of Mallory').digest() })

test('heads that lie on one log raise no alarm, however many people sign up meanwhile', async () => {
  const { alice, bob, conversation } = await pair()
  await world.signedUp('Somebody')
  expect(await bob.findPerson({ handle: 'Somebody' })).toBeDefined()
  await bob.send({ conversation, text: 'I met somebody' })
  await alice.sees(conversation, ['hello', 'I met somebody'])
  await alice.send({ conversation, text: 'good' })
  const seen = await bob.sees(conversation, ['hello', 'I met somebody', 'good'])
  await Promise.all([alice.settle({ within: 10_000 }), bob.settle({ within: 10_000 })])
  expect(noticesOf(seen.items)).not.toContain('tampering')
  expect([...(await alice.keyLogEvidence()), ...(await bob.keyLogEvidence())]).toEqual([])
})

test('M-05: who was shown another log is known with the next message that passes, and the two heads prove it', async () => {
  const { alice, bob, conversation } = await pair()
  const mallory = await MalloryLog.copyOf({ folder: world.dataFolder, url: world.url })
  mallory.add(ghost())
  // Only Bob is lied to; Carol, whom he looks up, is in the log that he is shown.
  const carol = await world.signedUp('Carol')
  await mallory.copyTail()
  bob.weather.forgeAnswers(mallory.forge)
  expect(await bob.findPerson({ handle: 'Carol' })).toBeDefined()
  expect(await alice.findPerson({ handle: 'Carol' })).toBeDefined()
  await bob.send({ conversation, text: 'I have talked to Carol' })
  await alice.sees(conversation, ['hello', 'I have talked to Carol'])
  await alarms(alice, conversation)
  const [evidence] = await alice.keyLogEvidence()
  expect(evidence).toMatchObject({ kind: 'split', conversation })
  const [ours, theirs] = await Promise.all([readHead(evidence?.ours ?? new Uint8Array()), readHead(evidence?.theirs ?? new Uint8Array())])
  // Both are signed by the server's own key: anybody can see that it said both.
  expect(theirs?.key).toEqual(ours?.key)
  expect(carol.name).toBe('carol')
})

test('M-06: a log that was rewritten is noticed at the next connection', async () => {
  const { alice, conversation } = await pair()
  const mallory = await MalloryLog.copyOf({ folder: world.dataFolder, url: world.url })
  mallory.rewrite(ghost())
  alice.weather.forgeAnswers(mallory.forge)
  alice.weather.endSockets()
  await alarms(alice, conversation)
  expect((await alice.keyLogEvidence())[0]).toMatchObject({ kind: 'rewritten' })
})

test('a device list that is not in the log is not taken', async () => {
  const { alice } = await pair()
  const dave = await world.signedUp('Dave')
  const mallory = await MalloryLog.copyOf({ folder: world.dataFolder, url: world.url })
  const session = dave.watch('session').get()
  if (session.kind !== 'signed_in') throw new Error('Dave is not there')
  mallory.add({ ...ghost(), label: labelOf(session.me.account) })
  alice.weather.forgeAnswers(mallory.forge)
  await expect(alice.findPerson({ handle: 'Dave' })).rejects.toMatchObject({ failure: 'identity_mismatch' })
})

test('a server that proves nothing is one that cannot be reached', async () => {
  const { alice } = await pair()
  await world.signedUp('Erin')
  alice.weather.forgeAnswers((url, body) => (url.includes('/transparency/places/') ? { status: 200, proof: 'AAAA' } : body))
  await expect(alice.findPerson({ handle: 'Erin' })).rejects.toMatchObject({ failure: 'offline' })
})

test('a server without anybody has an empty log, and one that is not there cannot be reached', async () => {
  await using empty = await openWorld()
  expect(await auditServer({ server: { url: empty.url, network: platformNetwork } })).toEqual({ kind: 'empty' })
  const nowhere = { url: 'http://127.0.0.1:9', network: platformNetwork }
  await expect(auditServer({ server: nowhere })).rejects.toMatchObject({ failure: 'offline' })
})

test('anybody verifies the whole log without an account, and sees when it is not whole', async () => {
  expect(await auditServer({ server: { url: world.url, network: platformNetwork } })).toMatchObject({ kind: 'sound' })
  const lying = (entries: (given: string[]) => string[]) => ({
    ...platformNetwork,
    fetch: async (url: string, init: RequestInit) => {
      const body = (await (await platformNetwork.fetch(url, init)).json()) as { entries?: string[] }
      return Response.json({ ...body, ...(body.entries && { entries: entries(body.entries) }) })
    },
  })
  const audit = (entries: (given: string[]) => string[]) => auditServer({ server: { url: world.url, network: lying(entries) } })
  expect(await audit((given) => given.toReversed())).toMatchObject({ kind: 'broken', finding: { kind: 'map' } })
  expect(await audit((given) => given.map((entry, at) => (at === 2 ? (given[1] ?? '') : entry)))).toMatchObject({
    kind: 'broken',
    finding: { kind: 'version', at: 2 },
  })
})
