/** A member and the server together stop a group (M-19): it says so, stays as it is, and people go on in a new one by their own decision. */
import { encodeCbor, type Entry } from '@tacit/contract'
import type { ConversationId } from '@tacit/sdk'
import { openDevice, openMemoryStore } from '@tacit/sdk/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorld, noticesOf, PASSWORD, textsOf, until, Weather, type World, type WorldDevice } from './index.ts'
import { LogLie } from './mallory/log-lie.ts'
import { selfOf } from './mallory/rows-of-databases.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

type Made = Pick<Entry, 'bytes' | 'sender' | 'clientSeq' | 'epoch'>

/** Somebody whose program asks for more than the rules allow, and what it hands in for it. */
async function memberWhoBreaksRules(handle: string) {
  const [store, weather] = [openMemoryStore(), new Weather()]
  const device = await openDevice({ server: world.url, store, network: weather })
  await device.signUp({ handle, password: PASSWORD })
  const removal = async (conversation: ConversationId, account: string): Promise<Made> => {
    const { promise, resolve } = Promise.withResolvers<Made>()
    weather.pretend((command) => {
      if (command.name !== 'conversations.commit') return undefined
      const { commit, clientSeq, epoch } = command.body
      resolve({ bytes: commit.slice(), sender: selfOf(device).device, clientSeq, epoch })
      return 'silence'
    })
    await store.transaction((writer) =>
      writer.run("insert into intent (conversation, kind, detail) values (?, 'remove', ?)", [conversation, encodeCbor([account])]),
    )
    await device.send({ conversation, text: 'never said' })
    return promise
  }
  return { device, removal }
}

const isStuck = (device: WorldDevice, conversation: ConversationId) => device.details(conversation, ({ standing }) => standing === 'stuck')

const linesIn = async (device: WorldDevice, conversation: ConversationId, line: string): Promise<readonly string[]> => {
  const timeline = await until(device.watch('timeline', conversation), (now) => noticesOf(now?.items ?? []).includes(line))
  return noticesOf(timeline?.items ?? [])
}

test('a group that a member and the server have stopped goes on in a new one, without whom nobody took along', async () => {
  const [alice, bob, carol] = await Promise.all([world.signedUp('Alice'), world.signedUp('Bob'), world.signedUp('Carol')])
  const { device: mallory, removal } = await memberWhoBreaksRules('Mallory')
  await using _ = mallory
  const old = await alice.createGroup({ title: 'Garden', handles: ['bob', 'carol', 'mallory'] })
  for (const one of [bob, carol]) await one.conversation('Garden')
  await until(mallory.watch('conversations'), (list) => list?.some(({ standing }) => standing === 'active') ?? false)
  await bob.send({ conversation: old, text: 'before' })
  for (const one of [alice, bob, carol]) await one.sees(old, ['before'])
  await expect(alice.startAnew({ conversation: old, people: [] })).rejects.toMatchObject({ failure: 'not_allowed' })

  // The rules forbid it, the server passes it on all the same, to everybody.
  const broken = await removal(old, selfOf(carol).account)
  for (const one of [alice, bob, carol]) LogLie.to(one, old).insertBeforeNext({ seq: 0, time: Date.now(), kind: 'commit', ...broken })
  await carol.send({ conversation: old, text: 'on the way' }).catch(() => undefined)
  for (const one of [alice, bob, carol]) await isStuck(one, old)

  const stranger = await world.signedUp('Stranger')
  await expect(bob.startAnew({ conversation: old, people: [selfOf(stranger).account] })).rejects.toMatchObject({ failure: 'not_allowed' })
  const next = await bob.startAnew({ conversation: old, people: [selfOf(alice).account, selfOf(carol).account] })
  for (const one of [alice, bob, carol]) {
    await until(one.watch('conversations'), (list) => list?.some((it) => it.conversation === next && it.standing === 'active') ?? false)
    expect((await one.details(next, ({ title }) => title !== '')).title).toBe('Garden')
    expect(await linesIn(one, next, 'continues')).toContain('continues')
    expect((await linesIn(one, old, 'continued')).filter((line) => line === 'continued')).toHaveLength(1)
    await until(one.watch('conversations'), (list) => list?.find(({ conversation }) => conversation === old)?.continuedIn === next)
    expect((await isStuck(one, old)).members).toHaveLength(4)
    expect(textsOf(one.watch('timeline', old).get()?.items ?? [])).toContain('before')
  }
  await carol.send({ conversation: next, text: 'among ourselves' })
  for (const one of [alice, bob, carol]) await one.sees(next, ['among ourselves'])
  const { members } = await carol.details(next, (now) => now.members.length === 3)
  expect(members.filter(({ role }) => role === 'admin').map(({ handle }) => handle)).toEqual(['Bob'])
  expect(
    mallory
      .watch('conversations')
      .get()
      ?.map(({ conversation }) => conversation),
  ).not.toContain(next)
})
