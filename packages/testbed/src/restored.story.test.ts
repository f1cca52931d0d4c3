import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { ConversationId, Timeline } from '@tacit/sdk'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { noticesOf, openWorld, PASSWORD, ShiftedClock, textsOf, until, type World, type WorldDevice } from './index.ts'

/** F-33: the server is restored from a backup that was made under load, and the devices have more than it. */

let world: World
let clock: ShiftedClock
beforeEach(async () => {
  // Devices come back and try again sooner than in life.
  clock = new ShiftedClock({ pace: 5 })
  world = await openWorld({ clock })
})
afterEach(() => world[Symbol.asyncDispose]())

const texts = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, at) => `${prefix} ${at}`)

async function say(device: WorldDevice, conversation: ConversationId, words: readonly string[]): Promise<void> {
  for (const text of words) await device.send({ conversation, text })
}

/** What a device shows once it is as many messages and nothing of its own waits. */
async function settled(device: WorldDevice, conversation: ConversationId, count: number) {
  const timeline = await until(device.watch('timeline', conversation), (now) => {
    const messages = now?.items.filter((item) => item.kind === 'message') ?? []
    return messages.length === count && messages.every((item) => item.kind === 'message' && item.state.kind !== 'sending')
  })
  return timeline?.items ?? []
}

/** Where a device shows a message. */
const placeOf = (timeline: Timeline | undefined, text: string): number =>
  timeline?.items.find((item) => item.kind === 'message' && item.text === text)?.seq ?? 0

/** The device says that the server went back: its log, or what own devices have in common. */
const noticed = (device: WorldDevice, conversation: ConversationId) =>
  until(device.watch('timeline', conversation), (now) => noticesOf(now?.items ?? []).includes('tampering'))

/** The device has stepped back, and counts its patience from here: a message that the server lost is where the log ends now. */
const steppedBack = (device: WorldDevice, conversation: ConversationId, lost: { readonly text: string; readonly seq: number }) =>
  until(device.watch('timeline', conversation), (now) => placeOf(now, lost.text) < lost.seq)

/** The one value of a query of the server's database. */
function onServer(sql: string): unknown {
  const database = new DatabaseSync(join(world.dataFolder, 'tacit.sqlite'), { readOnly: true })
  const { value } = database.prepare(sql).get() ?? {}
  database.close()
  return value
}

/** What a device shows once these are among it, and are on the server. */
async function shows(device: WorldDevice, conversation: ConversationId, wanted: readonly string[]) {
  const timeline = await until(device.watch('timeline', conversation), (now) =>
    wanted.every((text) => now?.items.some((item) => item.kind === 'message' && item.text === text && item.state.kind !== 'sending')),
  )
  return timeline?.items ?? []
}

/** A group of the creator and these people, all inside. */
async function groupOf(creator: WorldDevice, title: string, people: readonly WorldDevice[]): Promise<ConversationId> {
  const conversation = await creator.createGroup({ title, handles: people.map(({ name }) => name) })
  await Promise.all(people.map((person) => person.conversation(title)))
  return conversation
}

describe('a server that was restored from a backup', () => {
  test('is given the messages again that it lost, also for somebody who was away', async () => {
    const [alice, bob, carol] = [await world.signedUp('Alice'), await world.signedUp('Bob'), await world.signedUp('Carol')]
    const chat = await groupOf(alice, 'trip', [bob, carol])
    await say(alice, chat, ['before'])
    await carol.sees(chat, ['before'])
    carol.weather.cut()
    const pouring = say(bob, chat, texts('during', 20))
    await world.backup('backup')
    await pouring
    await settled(alice, chat, 21)
    await say(alice, chat, texts('from alice', 5))
    await settled(bob, chat, 26)
    await say(bob, chat, texts('from bob', 5))
    await settled(alice, chat, 31)

    await world.restore('backup')
    await say(alice, chat, ['after'])
    carol.weather.restore()
    // Only she has nothing but what the server gives now.
    const log = await settled(carol, chat, 32)
    const [ofAlice, ofBob] = await Promise.all([alice, bob].map((device) => device.sees(chat, textsOf(log))))
    for (const one of [texts('during', 20), texts('from alice', 5), texts('from bob', 5)])
      expect(textsOf(log).filter((text) => one.includes(text))).toEqual(one)
    for (const timeline of [ofAlice, ofBob]) expect(noticesOf(timeline?.items ?? [])).toContain('tampering')
    for (const items of [log, ofAlice?.items ?? [], ofBob?.items ?? []])
      expect(noticesOf(items).filter((notice) => notice.startsWith('unreadable'))).toEqual([])
  }, 60_000)

  test('is given the commits again: who was added since is inside, who was removed is out, and everybody goes on', async () => {
    const [alice, bob, carol] = [await world.signedUp('Alice'), await world.signedUp('Bob'), await world.signedUp('Carol')]
    const dave = await world.signedUp('Dave')
    const chat = await groupOf(alice, 'house', [bob, carol])
    await say(alice, chat, ['one'])
    await Promise.all([bob, carol].map((device) => device.sees(chat, ['one'])))
    await world.backup('backup')
    await alice.addPeople({ conversation: chat, handles: ['dave'] })
    await dave.conversation('house')
    await say(dave, chat, ['two'])
    const carolsAccount = (await alice.findPerson({ handle: 'carol' }))?.account
    if (!carolsAccount) throw new Error('Carol is there')
    await alice.removePerson({ conversation: chat, account: carolsAccount })
    await say(bob, chat, ['three'])
    await alice.sees(chat, ['one', 'two', 'three'])
    await dave.sees(chat, ['two', 'three'])

    await world.restore('backup')
    await say(bob, chat, ['four'])
    for (const device of [alice, bob]) await shows(device, chat, ['one', 'two', 'three', 'four'])
    await shows(dave, chat, ['two', 'three', 'four'])
    await say(dave, chat, ['five'])
    await shows(bob, chat, ['five'])
    const list = await until(carol.watch('conversations'), (now) => now?.[0]?.standing === 'removed')
    expect(list).toHaveLength(1)
    expect(textsOf(carol.watch('timeline', chat).get()?.items ?? [])).not.toContain('five')
  }, 60_000)

  test('goes on without a commit whose device never comes back', async () => {
    const [alice, bob, carol] = [await world.signedUp('Alice'), await world.signedUp('Bob'), await world.signedUp('Carol')]
    const chat = await groupOf(alice, 'house', [bob, carol])
    await say(bob, chat, ['one'])
    await alice.sees(chat, ['one'])
    await world.backup('backup')
    clock.ahead = 11 * 60_000
    // Her reply after ten minutes begins with fresh keys: a new epoch.
    await say(alice, chat, ['two'])
    await Promise.all([bob, carol].map((device) => device.sees(chat, ['one', 'two'])))
    await say(bob, chat, ['three'])
    const lost = { text: 'three', seq: placeOf(await carol.sees(chat, ['one', 'two', 'three']), 'three') }
    // What own devices have in common is lost, too, and here it is missed before the log is.
    const written = () => Number(onServer("SELECT sum(version) AS value FROM vault_part WHERE part = 'settings'"))
    const before = written()
    for (const device of [bob, carol]) await device.setPreference({ name: 'theme', value: 'dark' })
    await expect.poll(written).toBe(before + 2)
    alice.weather.cut()
    const told = Promise.all([bob, carol].map((device) => noticed(device, chat)))
    for (const device of [bob, carol])
      device.weather.forgeAnswers(async (url, body) => {
        if (url.includes('/hashes')) await told
        return body
      })

    await world.restore('backup')
    await told
    await Promise.all([bob, carol].map((device) => steppedBack(device, chat, lost)))
    clock.ahead += 180_000
    await say(carol, chat, ['four'])
    await shows(carol, chat, ['four'])
    await say(bob, chat, ['five'])
    await shows(carol, chat, ['three', 'five'])
    await say(carol, chat, ['six'])
    await shows(bob, chat, ['six'])
    alice.weather.restore()
    await say(alice, chat, ['seven'])
    for (const device of [alice, bob, carol]) await shows(device, chat, ['two', 'seven'])
    // Written between her return and his, so nobody sealed it for him: said, and not kept quiet.
    const ofBob = await shows(bob, chat, ['two', 'three', 'five', 'six', 'seven'])
    expect(textsOf(ofBob).includes('four') || noticesOf(ofBob).some((notice) => notice.startsWith('unreadable'))).toBe(true)
    for (const device of [alice, bob, carol]) {
      const all = textsOf(await shows(device, chat, ['seven']))
      expect(new Set(all).size).toBe(all.length)
    }
  }, 60_000)

  test('whose log has grown again is noticed by a device that comes back later', async () => {
    const [alice, bob] = [await world.signedUp('Alice'), await world.signedUp('Bob')]
    const chat = await groupOf(alice, 'two', [bob])
    // Bob renews his keys in front of his first message, so that commit is in the backup.
    await say(bob, chat, ['one'])
    await alice.sees(chat, ['one'])
    await world.backup('backup')
    await say(bob, chat, ['bob 1', 'bob 2'])
    await alice.sees(chat, ['one', 'bob 1', 'bob 2'])
    bob.weather.cut()

    await world.restore('backup')
    await say(alice, chat, texts('alice', 6))
    await settled(alice, chat, 9)
    bob.weather.restore()
    const log = await settled(bob, chat, 9)
    await alice.sees(chat, textsOf(log))
    expect(noticesOf(log)).toContain('tampering')
    await say(bob, chat, ['bob 3'])
    await settled(alice, chat, 10)
  }, 60_000)
})

describe('device lists that a restored server has lost', () => {
  /** Alice and Bob in a chat in which both have written. */
  async function chatOfTwo() {
    const [alice, bob] = [await world.signedUp('Alice'), await world.signedUp('Bob')]
    const chat = await alice.startDirect({ handle: 'bob' })
    await bob.conversation('Alice')
    await say(alice, chat, ['one'])
    await bob.sees(chat, ['one'])
    await say(bob, chat, ['two'])
    await alice.sees(chat, ['one', 'two'])
    return { alice, bob, chat }
  }

  /** Another device of Alice, inside and known to Bob. */
  async function another({ bob, chat, devices }: { bob: WorldDevice; chat: ConversationId; devices: number }) {
    const device = await world.signedIn('alice')
    await device.conversation('Bob')
    await bob.details(chat, ({ members }) => members.some((member) => member.devices === devices))
    return device
  }

  const ofAlice = async (device: WorldDevice) => (await device.devices()).length

  /** What a device says of the server and of people, and keeps against the server, but for that it went back. Nobody must be accused of more. */
  async function accusations(device: WorldDevice, chat: ConversationId) {
    const items = device.watch('timeline', chat).get()?.items ?? []
    const told = items.flatMap((item) => (item.kind === 'notice' && item.notice.kind === 'tampering' ? [item.notice.what] : []))
    const kept = (await device.keyLogEvidence()).map(({ kind }) => kind)
    return [
      ...told.filter((what) => what !== 'rollback'),
      ...kept.filter((kind) => kind !== 'went_back'),
      ...noticesOf(items).filter((notice) => notice.startsWith('identity')),
    ]
  }

  test('are offered again by a device that knows them: who was added is on the list, and nobody is told that a key changed', async () => {
    const { alice, bob, chat } = await chatOfTwo()
    await world.backup('backup')
    const tablet = await another({ bob, chat, devices: 2 })
    await say(tablet, chat, ['three'])
    await bob.sees(chat, ['one', 'two', 'three'])
    await alice.settle({ within: 20_000 })

    await world.restore('backup')
    // The session of the tablet is younger than the backup; its owner signs in again, on the same device.
    await until(tablet.watch('session'), ({ kind }) => kind === 'session_ended')
    await alice.online()
    await expect.poll(() => ofAlice(alice)).toBe(2)
    await tablet.signIn({ handle: 'alice', password: PASSWORD })
    expect(await ofAlice(tablet)).toBe(2)
    // It joins anew, and so do the others after it; from then on everybody reads everything.
    await tablet.settle({ within: 20_000 })
    await say(bob, chat, ['four'])
    for (const device of [alice, tablet]) await shows(device, chat, ['four'])
    await say(tablet, chat, ['five'])
    for (const device of [alice, bob]) {
      await shows(device, chat, ['four', 'five'])
      expect(await accusations(device, chat)).toEqual([])
    }
  }, 120_000)

  test('are offered again by a device that knows them: who was removed is out, without a person to prove it', async () => {
    const { alice, bob, chat } = await chatOfTwo()
    const phone = await another({ bob, chat, devices: 2 })
    const lost = (await alice.devices()).find(({ current }) => !current)
    await world.backup('backup')
    await alice.proveByPassword({ password: PASSWORD })
    if (lost) await alice.removeDevice({ device: lost.device })
    await until(phone.watch('session'), ({ kind }) => kind === 'session_ended')
    await bob.details(chat, ({ members }) => members.every((member) => member.devices === 1))

    await world.restore('backup')
    await alice.online()
    await expect.poll(() => ofAlice(alice)).toBe(1)
    await say(bob, chat, ['three'])
    await shows(alice, chat, ['three'])
    await bob.details(chat, ({ members }) => members.every((member) => member.devices === 1))
    expect(await accusations(bob, chat)).toEqual([])
    // Somebody who knows only what the server says now.
    const carol = await world.signedUp('Carol')
    const other = await carol.startDirect({ handle: 'alice' })
    await alice.conversation('Carol')
    expect((await carol.details(other, ({ members }) => members.length === 2)).members.map(({ devices }) => devices)).toEqual([1, 1])
  }, 120_000)

  test('cannot be offered to a server that does not listen: the key that a removed device has had is replaced all the same', async () => {
    const { alice, bob, chat } = await chatOfTwo()
    const phone = await another({ bob, chat, devices: 2 })
    const lost = (await alice.devices()).find(({ current }) => !current)
    const generation = () => onServer('SELECT max(generation) AS value FROM vault')
    const before = generation()
    await world.backup('backup')
    await alice.proveByPassword({ password: PASSWORD })
    if (lost) await alice.removeDevice({ device: lost.device })
    await until(phone.watch('session'), ({ kind }) => kind === 'session_ended')
    await expect.poll(generation).not.toBe(before)
    await alice.settle({ within: 20_000 })

    // Without the server's own list nobody can say what it lacks.
    alice.weather.forgeAnswers((url, body) => (url.endsWith('/v1/me') ? { ...Object(body), deviceList: '' } : body))
    await world.restore('backup')
    expect(generation()).toBe(before)
    await alice.online()
    await expect.poll(generation).not.toBe(before)
    expect(onServer('SELECT count(*) AS value FROM device_list')).toBe(2)
  }, 120_000)

  test('and that another own device has changed meanwhile, end under newer ones', async () => {
    const { alice, bob, chat } = await chatOfTwo()
    await world.backup('backup')
    await another({ bob, chat, devices: 2 })
    await alice.settle({ within: 20_000 })
    alice.weather.cut()

    await world.restore('backup')
    const watch = await world.signedIn('alice')
    await watch.online()
    expect(await ofAlice(watch)).toBe(2)
    alice.weather.restore()
    await alice.online()
    // Alice knew another second list than the one that is there now, and so does Bob: a third one is above both.
    await expect.poll(() => onServer('SELECT max(version) AS value FROM device_list')).toBe(3)
    await expect.poll(() => bob.findPerson({ handle: 'alice' })).toBeDefined()
    expect(await accusations(bob, chat)).toEqual([])
    expect(await accusations(alice, chat)).toEqual([])
  }, 120_000)
})
