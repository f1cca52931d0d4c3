import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConversationId, ConversationSummary } from '@tacit/sdk'
import { openWorld, textsOf, until, type World, type WorldDevice } from './index.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const accountOf = (device: WorldDevice) => {
  const session = device.watch('session').get()
  if (session.kind !== 'signed_in') throw new Error('not signed in')
  return session.me.account
}

const shows = async (device: WorldDevice, conversation: ConversationId, is: (summary: ConversationSummary) => boolean) => {
  const found = (list: readonly ConversationSummary[] | undefined) => list?.find((one) => one.conversation === conversation)
  const list = await until(device.watch('conversations'), (now) => {
    const summary = found(now)
    return summary !== undefined && is(summary)
  })
  return found(list)
}

test('what was typed and not sent is on the other device, survives a restart, and goes when it was sent', async () => {
  const alice = await world.signedUp('Alice')
  await world.signedUp('Bob')
  const conversation = await alice.startDirect({ handle: 'bob' })
  const tablet = await world.signedIn('alice')
  await tablet.conversation('Bob')
  await alice.saveDraft({ conversation, text: 'half a thou' })
  await shows(tablet, conversation, ({ draft }) => draft === 'half a thou')

  alice.weather.cut()
  await alice.saveDraft({ conversation, text: 'half a thought' })
  await alice.restart()
  await shows(alice, conversation, ({ draft }) => draft === 'half a thought')
  expect((await shows(tablet, conversation, () => true))?.draft).toBe('half a thou')
  alice.weather.restore()
  await shows(tablet, conversation, ({ draft }) => draft === 'half a thought')
  await tablet.saveDraft({ conversation, text: '' })
  await shows(alice, conversation, ({ draft }) => draft === undefined)
})

test('what two devices did while both were apart is all there when they are back', async () => {
  const [carol, dan] = [await world.signedUp('Carol'), await world.signedUp('Dan')]
  const erin = await world.signedUp('Erin')
  const group = await carol.createGroup({ title: 'Names', handles: ['dan', 'erin'] })
  const tablet = await world.signedIn('carol')
  await tablet.conversation('Names')
  carol.weather.cut()
  tablet.weather.cut()
  await carol.setNickname({ account: accountOf(dan), nickname: 'Danny' })
  await tablet.setNickname({ account: accountOf(erin), nickname: 'Rin' })
  await tablet.setPreference({ name: 'theme', value: 'dark' })
  carol.weather.restore()
  tablet.weather.restore()
  for (const device of [carol, tablet]) {
    await device.details(group, ({ members }) => members.filter(({ nickname }) => nickname !== undefined).length === 2)
    expect((await device.contacts()).map(({ nickname }) => nickname)).toEqual(['Danny', 'Rin'])
    await until(device.watch('preferences'), (preferences) => preferences?.['theme'] === 'dark')
  }
  await tablet.setNickname({ account: accountOf(dan), nickname: ' ' })
  await carol.details(group, ({ members }) => members.filter(({ nickname }) => nickname !== undefined).length === 1)
})

test('what was read on one device is read on the others, also on one that comes later', async () => {
  const [frank, grace] = [await world.signedUp('Frank'), await world.signedUp('Grace')]
  const conversation = await frank.startDirect({ handle: 'grace' })
  const tablet = await world.signedIn('frank')
  await tablet.conversation('Grace')
  tablet.weather.cut()
  for (const text of ['one', 'two', 'three']) await grace.send({ conversation, text })
  const { items } = await frank.sees(conversation, ['one', 'two', 'three'])
  const [, second] = items.filter(({ kind }) => kind === 'message')
  await frank.markRead({ conversation, seq: second?.seq ?? 0 })
  await shows(frank, conversation, ({ unread }) => unread === 1)
  tablet.weather.restore()
  await shows(tablet, conversation, ({ unread }) => unread === 1)
  await tablet.settle({ within: 10_000 })
  const late = await world.signedIn('frank')
  await late.sees(conversation, ['one', 'two', 'three'])
  await shows(late, conversation, ({ unread }) => unread === 1)
})

test('what a blocked person says is not shown and not told, on all own devices, until they are blocked no more', async () => {
  const [henry, ida] = [await world.signedUp('Henry'), await world.signedUp('Ida')]
  const conversation = await ida.startDirect({ handle: 'henry' })
  await ida.send({ conversation, text: 'before' })
  await henry.conversation('Ida')
  await henry.sees(conversation, ['before'])
  const tablet = await world.signedIn('henry')
  await tablet.sees(conversation, ['before'])
  await henry.setBlocked({ account: accountOf(ida), blocked: true })
  await shows(tablet, conversation, ({ peerBlocked }) => peerBlocked === true)
  await ida.send({ conversation, text: 'after' })
  const group = await ida.createGroup({ title: 'Ambush', handles: ['henry'] })
  await ida.send({ conversation: group, text: 'surprise' })
  const joe = await world.signedUp('Joe')
  const direct = await joe.startDirect({ handle: 'henry' })
  await joe.send({ conversation: direct, text: 'from somebody else' })
  for (const device of [henry, tablet]) {
    await device.sees(direct, ['from somebody else'])
    await device.settle({ within: 10_000 })
    const list = (await until(device.watch('conversations'), (now) => now?.some((one) => one.conversation === direct) ?? false)) ?? []
    expect(list.map(({ title }) => title).toSorted()).toEqual(['Ida', 'Joe'])
    expect(list.find((one) => one.conversation === conversation)).toMatchObject({ last: { preview: 'before' } })
    const timeline = await until(device.watch('timeline', conversation), (now) => now !== undefined)
    expect(textsOf(timeline?.items ?? [])).toEqual(['before'])
  }
  await expect(henry.setBlocked({ account: accountOf(henry), blocked: true })).rejects.toMatchObject({ failure: 'not_allowed' })
  await tablet.setBlocked({ account: accountOf(ida), blocked: false })
  await henry.sees(conversation, ['before', 'after'])
  await henry.sees(group, ['surprise'])
  await shows(henry, group, ({ unread }) => unread === 1)
})

test('a comparison is known on the other devices, and one that is taken back is not', async () => {
  const [kim, lou] = [await world.signedUp('Kim'), await world.signedUp('Lou')]
  const conversation = await kim.startDirect({ handle: 'lou' })
  await kim.setCompared({ account: accountOf(lou), same: true })
  const tablet = await world.signedIn('kim')
  await shows(tablet, conversation, ({ peerCompared }) => peerCompared === true)
  await tablet.setCompared({ account: accountOf(lou), same: false })
  await shows(kim, conversation, ({ peerCompared }) => peerCompared === false)
})

test('a choice to share presence is made on all devices at once', async () => {
  const mia = await world.signedUp('Mia')
  const tablet = await world.signedIn('mia')
  await mia.setPresenceSharing({ on: true })
  await until(tablet.watch('session'), (session) => session.kind === 'signed_in' && session.sharesPresence)
})

test('a server that was set back gets again what the devices had, and they say that it was', async () => {
  const [nora, otto] = [await world.signedUp('Nora'), await world.signedUp('Otto')]
  const conversation = await nora.startDirect({ handle: 'otto' })
  await nora.setNickname({ account: accountOf(otto), nickname: 'O.' })
  await nora.settle({ within: 20_000 })
  await world.backup('before-vault')
  await nora.setNickname({ account: accountOf(otto), nickname: 'Otto the Great' })
  await nora.settle({ within: 20_000 })
  await world.restore('before-vault')
  await nora.online()
  await until(nora.watch('timeline', conversation), (timeline) =>
    (timeline?.items ?? []).some((item) => item.kind === 'notice' && item.notice.kind === 'tampering' && item.notice.what === 'rollback'),
  )
  await nora.settle({ within: 20_000 })
  const late = await world.signedIn('nora')
  await shows(late, conversation, ({ title }) => title === 'Otto the Great')
})
