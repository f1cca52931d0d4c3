import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { ConversationId, ConversationSummary, MessageState } from '@tacit/sdk'
import { noticesOf, openWorld, PASSWORD, textsOf, until, type World, type WorldDevice } from './index.ts'

// Several devices, each with all of its rounds, on a machine that may be slow.
vi.setConfig({ testTimeout: 120_000 })

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

/** Whether the conversation stands in the list, and where, once it is so. */
const stands = (device: WorldDevice, conversation: ConversationId, where: 'inbox' | 'tray' | 'nowhere') =>
  until(device.watch('conversations'), (list) => {
    const found = list?.find((one) => one.conversation === conversation)
    return (found === undefined ? 'nowhere' : found.request === undefined ? 'inbox' : 'tray') === where && list !== undefined
  })

/** Where a device's messages are by now, when nothing from the other is under way any more. */
async function statesAfterAll(
  sender: WorldDevice,
  other: WorldDevice,
  conversation: ConversationId,
): Promise<readonly MessageState['kind'][]> {
  expect(await other.settle({ within: 20_000 })).toBe('settled')
  // What the other has said before this reaches the sender before the answer to this does.
  await sender.send({ conversation, text: 'and then' })
  const { items } = await sender.messageBecomes(conversation, 'and then', 'accepted')
  return items.flatMap((item) => (item.kind === 'message' && item.mine ? [item.state.kind] : []))
}

/** Kept up to date from the first time on: a snapshot that nobody watches is an old one. */
async function epochOf(device: WorldDevice, conversation: ConversationId): Promise<number> {
  device.watch('details', conversation).subscribe(() => undefined)
  return (await device.details(conversation, ({ members }) => members.length === 2)).encryption.epoch
}

test('a stranger who writes waits in the tray of every device, and learns nothing until one of them takes the conversation up', async () => {
  const [mallory, bob] = [await world.signedUp('Mallory'), await world.signedUp('Bob')]
  const tablet = await world.signedIn('bob')
  await tablet.online()
  const conversation = await mallory.startDirect({ handle: 'bob' })
  await mallory.send({ conversation, text: 'psst' })
  for (const device of [bob, tablet]) {
    const [asked] = await device.requests(1)
    expect(asked).toMatchObject({ conversation, kind: 'direct', request: { by: { handle: 'Mallory' } } })
    await device.sees(conversation, ['psst'])
  }
  const epoch = await epochOf(mallory, conversation)
  const seq = bob.watch('timeline', conversation).get()?.items.at(-1)?.seq ?? 0
  await bob.markRead({ conversation, seq })
  await bob.setTyping({ conversation, typing: true })
  expect(await statesAfterAll(mallory, bob, conversation)).toEqual(['accepted', 'accepted'])
  expect(mallory.watch('timeline', conversation).get()?.typing).toEqual([])
  // Nor by fresh keys, which every device brings into a conversation that it came into.
  expect(await epochOf(mallory, conversation)).toBe(epoch)

  await tablet.acceptRequest({ conversation })
  await mallory.messageBecomes(conversation, 'psst', 'read')
  await stands(bob, conversation, 'inbox')
  await bob.send({ conversation, text: 'yes?' })
  await mallory.sees(conversation, ['psst', 'and then', 'yes?'])
  await mallory.details(conversation, ({ encryption }) => encryption.epoch > epoch)
})

test('nobody shows a stranger that they are online before they have taken the conversation up', async () => {
  const [mallory, nora] = [await world.signedUp('Mallory-who-waits'), await world.signedUp('Nora')]
  const conversation = await mallory.startDirect({ handle: 'nora' })
  await mallory.send({ conversation, text: 'are you there?' })
  await nora.requests(1)
  await nora.sees(conversation, ['are you there?'])
  const shown = mallory.watch('conversations')
  const isOnline = (list: readonly ConversationSummary[] | undefined) => list?.[0]?.peerOnline === true
  const seen: boolean[] = []
  shown.subscribe(() => seen.push(isOnline(shown.get())))
  for (const one of [mallory, nora]) await one.setPresenceSharing({ on: true })
  expect(await statesAfterAll(mallory, nora, conversation)).toEqual(['accepted', 'accepted'])
  expect(seen).not.toContain(true)
  await nora.acceptRequest({ conversation })
  await until(shown, isOnline)
})

test('a device brings fresh keys into what a friend brought it into, and none into what a stranger did', async () => {
  const [tess, ulf, vera] = [await world.signedUp('Tess'), await world.signedUp('Ulf'), await world.signedUp('Vera')]
  await vera.startDirect({ handle: 'ulf' })
  const asked = await tess.startDirect({ handle: 'vera' })
  await vera.requests(1)
  const before = await epochOf(tess, asked)
  const group = await ulf.createGroup({ title: 'Friends', handles: ['vera'] })
  // Ulf's commit that added her, and then hers.
  await ulf.details(group, ({ encryption }) => encryption.epoch >= 2)
  expect(await statesAfterAll(tess, vera, asked)).toEqual(['accepted'])
  expect(await epochOf(tess, asked)).toBe(before)
  await vera.acceptRequest({ conversation: asked })
  await tess.details(asked, ({ encryption }) => encryption.epoch > before)
})

test('whom one writes to first is no stranger: what they begin afterwards comes right in', async () => {
  const [carol, dan] = [await world.signedUp('Carol'), await world.signedUp('Dan')]
  const direct = await carol.startDirect({ handle: 'dan' })
  await stands(dan, direct, 'tray')
  const group = await dan.createGroup({ title: 'Ours', handles: ['carol'] })
  await stands(carol, group, 'inbox')
  await stands(carol, direct, 'inbox')
  await dan.send({ conversation: direct, text: 'hello Carol' })
  await stands(dan, direct, 'inbox')
  const second = await carol.createGroup({ title: 'Also ours', handles: ['dan'] })
  await stands(dan, second, 'inbox')
})

test('whoever looks for somebody who waits wants to talk to them', async () => {
  const [erin, frank] = [await world.signedUp('Erin'), await world.signedUp('Frank')]
  const conversation = await erin.startDirect({ handle: 'frank' })
  await erin.send({ conversation, text: 'are you there?' })
  await frank.requests(1)
  expect(await frank.startDirect({ handle: 'erin' })).toBe(conversation)
  await stands(frank, conversation, 'inbox')
  await erin.messageBecomes(conversation, 'are you there?', 'delivered')
})

test('an invitation that is declined leaves the group and does not come back, on no device and not on a later one', async () => {
  const [grace, heidi] = [await world.signedUp('Grace'), await world.signedUp('Heidi')]
  const tablet = await world.signedIn('heidi')
  await tablet.online()
  const group = await grace.createGroup({ title: 'Win a prize', handles: ['heidi'] })
  await grace.send({ conversation: group, text: 'click here' })
  await tablet.requests(1)
  const [asked] = await heidi.requests(1)
  expect(asked).toMatchObject({ kind: 'group', request: { by: { handle: 'Grace' } } })
  await heidi.declineRequest({ conversation: group, block: false })
  await stands(heidi, group, 'nowhere')
  await stands(tablet, group, 'nowhere')
  for (const device of [heidi, tablet])
    await until(device.watch('timeline', group), (timeline) => timeline !== undefined && textsOf(timeline.items).length === 0)
  await grace.details(group, ({ members }) => members.length === 1)
  await grace.addPeople({ conversation: group, handles: ['heidi'] })
  await grace.send({ conversation: group, text: 'click here again' })
  const later = await world.signedIn('heidi')
  // Behind it in the order of what comes to these devices.
  const other = await grace.startDirect({ handle: 'heidi' })
  for (const device of [heidi, tablet, later]) {
    await stands(device, other, 'tray')
    await stands(device, group, 'nowhere')
  }
  await expect(heidi.acceptRequest({ conversation: other })).resolves.toBeUndefined()
  await expect(heidi.declineRequest({ conversation: other, block: false })).rejects.toMatchObject({ failure: 'not_allowed' })
})

test('what is said in a conversation after it was declined leaves no words', async () => {
  const [xenia, yannick] = [await world.signedUp('Xenia'), await world.signedUp('Yannick')]
  const conversation = await xenia.startDirect({ handle: 'yannick' })
  await xenia.send({ conversation, text: 'one' })
  await yannick.requests(1)
  await yannick.declineRequest({ conversation, block: false })
  await stands(yannick, conversation, 'nowhere')
  await xenia.send({ conversation, text: 'two' })
  await xenia.messageBecomes(conversation, 'two', 'accepted')
  // Behind it in the order of what comes to him.
  const group = await xenia.createGroup({ title: 'Another way', handles: ['yannick'] })
  await stands(yannick, group, 'tray')
  const timeline = await until(yannick.watch('timeline', conversation), (now) => now !== undefined)
  expect(textsOf(timeline?.items ?? [])).toEqual([])
})

test('who is blocked from the tray is blocked on every device, also in what they begin later', async () => {
  const [ivan, judy] = [await world.signedUp('Ivan'), await world.signedUp('Judy')]
  const tablet = await world.signedIn('judy')
  await tablet.online()
  const conversation = await ivan.startDirect({ handle: 'judy' })
  await ivan.send({ conversation, text: 'hey you' })
  await tablet.requests(1)
  await judy.requests(1)
  await judy.declineRequest({ conversation, block: true })
  for (const device of [judy, tablet]) await stands(device, conversation, 'nowhere')
  await expect.poll(() => tablet.contacts()).toMatchObject([{ handle: 'Ivan', blocked: true }])
  const group = await ivan.createGroup({ title: 'You again', handles: ['judy'] })
  await ivan.send({ conversation: group, text: 'hey' })
  await tablet.details(group, ({ members }) => members.length === 2)
  const later = await world.signedIn('judy')
  await later.details(group, ({ members }) => members.length === 2)
  for (const device of [tablet, later]) await stands(device, group, 'nowhere')
  expect(await statesAfterAll(ivan, judy, conversation)).toEqual(['accepted', 'accepted'])
})

test('an empty device knows what was taken up and what still waits, and who asked', async () => {
  const [karl, lena] = [await world.signedUp('Karl'), await world.signedUp('Lena')]
  const friend = await world.signedUp('Mia')
  const group = await karl.createGroup({ title: 'A stranger', handles: ['lena'] })
  const known = await friend.startDirect({ handle: 'lena' })
  await lena.requests(2)
  await lena.acceptRequest({ conversation: known })
  await stands(lena, known, 'inbox')
  expect(await lena.settle({ within: 20_000 })).toBe('settled')
  await lena.signOut()
  const empty = await world.signedIn('lena')
  await stands(empty, known, 'inbox')
  const [asked] = await empty.requests(1)
  expect(asked).toMatchObject({ conversation: group, request: { by: { handle: 'Karl' } } })
})

test('what a device was told while all of them were away waits, too, on one that comes later', async () => {
  const [nina, otto] = [await world.signedUp('Nina'), await world.signedUp('Otto')]
  await otto.online()
  otto.weather.cut()
  const conversation = await nina.startDirect({ handle: 'otto' })
  await nina.send({ conversation, text: 'hi' })
  const tablet = await world.signedIn('otto')
  await stands(tablet, conversation, 'tray')
  expect(await tablet.settle({ within: 20_000 })).toBe('settled')
  expect(await statesAfterAll(nina, tablet, conversation)).toEqual(['accepted', 'accepted'])
})

test('what a stranger says fills no archive until it is taken up', async () => {
  const [paul, quinn] = [await world.signedUp('Paul'), await world.signedUp('Quinn')]
  const conversation = await paul.startDirect({ handle: 'quinn' })
  await paul.send({ conversation, text: 'one' })
  await quinn.requests(1)
  await quinn.sees(conversation, ['one'])
  expect(await quinn.settle({ within: 20_000 })).toBe('settled')
  expect(quinn.watch('history').get()?.messages ?? 0).toBe(0)
  await quinn.acceptRequest({ conversation })
  await until(quinn.watch('history'), (history) => (history?.messages ?? 0) > 0)
})

test('somebody who begins anew is not asked about the conversations they are in', async () => {
  const [rita, sam] = [await world.signedUp('Rita'), await world.signedUp('Sam')]
  const conversation = await sam.startDirect({ handle: 'rita' })
  await rita.conversation('Sam')
  await rita.signOut()
  const code = await world.recover('rita')
  const anew = await world.device('rita')
  await anew.enterRecoveryCode({ handle: 'rita', code })
  await anew.resetAccount({ password: `another ${PASSWORD}` })
  await stands(anew, conversation, 'inbox')
  await until(anew.watch('timeline', conversation), (now) => noticesOf(now?.items ?? []).includes('history_begins'))
  await stands(anew, conversation, 'inbox')
})
