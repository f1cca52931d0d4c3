import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noticesOf, openWorld, PASSWORD, textsOf, until, type World, type WorldDevice } from './index.ts'

let world: World
let alice: WorldDevice
let bob: WorldDevice
let carol: WorldDevice
beforeAll(async () => {
  world = await openWorld()
  ;[alice, bob, carol] = await Promise.all([world.signedUp('Alice'), world.signedUp('Bob'), world.signedUp('Carol')])
})
afterAll(() => world[Symbol.asyncDispose]())

const accountOf = async (device: WorldDevice) => {
  const state = await until(device.watch('session'), ({ kind }) => kind === 'signed_in')
  if (state.kind !== 'signed_in') throw new Error('not signed in')
  return state.me.account
}

describe('a group of three', () => {
  test('people are added, write, are removed, and read nothing after that', async () => {
    const picnic = await alice.createGroup({ title: 'Picnic', handles: ['bob'] })
    await bob.conversation('Picnic')
    await bob.send({ conversation: picnic, text: 'before Carol' })
    await alice.sees(picnic, ['before Carol'])
    await bob.addPeople({ conversation: picnic, handles: ['carol'] })
    await carol.conversation('Picnic')
    await carol.send({ conversation: picnic, text: 'here I am' })
    await Promise.all([alice.sees(picnic, ['before Carol', 'here I am']), bob.sees(picnic, ['before Carol', 'here I am'])])
    await carol.sees(picnic, ['here I am'])
    await alice.removePerson({ conversation: picnic, account: await accountOf(bob) })
    await until(
      bob.watch('conversations'),
      (list) => list?.some((one) => one.conversation === picnic && one.standing === 'removed') ?? false,
    )
    await alice.send({ conversation: picnic, text: 'without Bob' })
    const seen = await carol.sees(picnic, ['here I am', 'without Bob'])
    expect(noticesOf(seen.items)).toEqual(['joined Carol', 'removed Bob'])
    await bob.sees(picnic, ['before Carol', 'here I am'])
    await expect(bob.send({ conversation: picnic, text: 'still here?' })).rejects.toMatchObject({ failure: 'not_allowed' })
  })

  test('whoever is removed and added again while away reads what was written before, and nothing of the time between', async () => {
    const choir = await alice.createGroup({ title: 'Choir', handles: ['bob', 'carol'] })
    await Promise.all([bob.conversation('Choir'), carol.conversation('Choir')])
    await alice.send({ conversation: choir, text: 'first' })
    await Promise.all([bob.sees(choir, ['first']), carol.sees(choir, ['first'])])
    bob.weather.cut()
    const account = await accountOf(bob)
    await carol.send({ conversation: choir, text: 'while Bob is away' })
    await alice.sees(choir, ['first', 'while Bob is away'])
    await alice.removePerson({ conversation: choir, account })
    await alice.send({ conversation: choir, text: 'without Bob' })
    await carol.sees(choir, ['first', 'while Bob is away', 'without Bob'])
    await alice.addPeople({ conversation: choir, handles: ['bob'] })
    await alice.send({ conversation: choir, text: 'welcome back' })
    await alice.messageBecomes(choir, 'welcome back', 'accepted')
    bob.weather.restore()
    const seen = await bob.sees(choir, ['first', 'while Bob is away', 'welcome back'])
    expect(noticesOf(seen.items).filter((line) => line.startsWith('unreadable') || line === 'tampering')).toEqual([])
    await bob.send({ conversation: choir, text: 'thank you' })
    await carol.sees(choir, ['first', 'while Bob is away', 'without Bob', 'welcome back', 'thank you'])
  })

  test('somebody leaves, and the others take note', async () => {
    const club = await alice.createGroup({ title: 'Club', handles: ['bob', 'carol'] })
    await Promise.all([bob.conversation('Club'), carol.conversation('Club')])
    await bob.leave({ conversation: club })
    await until(bob.watch('conversations'), (list) => list?.some((one) => one.conversation === club && one.standing === 'left') ?? false)
    const details = await alice.details(club, ({ members }) => members.length === 2)
    expect(details.members.map((member) => member.handle).toSorted()).toEqual(['Alice', 'Carol'])
    const timeline = await until(carol.watch('timeline', club), (now) => noticesOf(now?.items ?? []).includes('left Bob'))
    expect(timeline).toBeDefined()
  })

  test('a title changes for all, roles decide who may remove', async () => {
    const team = await alice.createGroup({ title: 'Team', handles: ['bob', 'carol'] })
    await Promise.all([bob.conversation('Team'), carol.conversation('Team')])
    await bob.rename({ conversation: team, title: 'Crew' })
    await Promise.all([alice.conversation('Crew'), carol.conversation('Crew')])
    await expect(bob.removePerson({ conversation: team, account: await accountOf(carol) })).rejects.toMatchObject({
      failure: 'not_allowed',
    })
    await alice.setRole({ conversation: team, account: await accountOf(bob), role: 'admin' })
    await bob.details(team, ({ can }) => can.remove)
    await bob.removePerson({ conversation: team, account: await accountOf(carol) })
    await alice.details(team, ({ members }) => members.length === 2)
  })

  test('messages and a commit that race all arrive, in one order for all', async () => {
    const race = await alice.createGroup({ title: 'Race', handles: ['bob'] })
    await bob.conversation('Race')
    const texts = Array.from({ length: 8 }, (_, at) => `message ${at}`)
    await Promise.all([
      alice.addPeople({ conversation: race, handles: ['carol'] }),
      (async () => {
        for (const text of texts) await bob.send({ conversation: race, text })
      })(),
    ])
    await bob.sees(race, texts)
    await alice.sees(race, texts)
    await carol.conversation('Race')
    await carol.send({ conversation: race, text: 'made it' })
    await bob.sees(race, [...texts, 'made it'])
  })

  test('two people who add somebody at the same time both succeed', async () => {
    const dave = await world.signedUp('Dave')
    const both = await alice.createGroup({ title: 'Both', handles: ['bob'] })
    await bob.conversation('Both')
    await Promise.all([
      alice.addPeople({ conversation: both, handles: ['carol'] }),
      bob.addPeople({ conversation: both, handles: ['carol', 'dave'] }),
    ])
    await Promise.all([carol.conversation('Both'), dave.conversation('Both')])
    await dave.send({ conversation: both, text: 'hi all' })
    for (const device of [alice, bob, carol]) await device.sees(both, ['hi all'])
  })

  test('who was removed and is added again goes on where they come back', async () => {
    const choir = await alice.createGroup({ title: 'Choir', handles: ['bob'] })
    await bob.conversation('Choir')
    await alice.send({ conversation: choir, text: 'while you belong' })
    await bob.sees(choir, ['while you belong'])
    bob.weather.cut()
    await until(bob.watch('connection'), ({ kind }) => kind === 'offline')
    await alice.removePerson({ conversation: choir, account: await accountOf(bob) })
    await alice.send({ conversation: choir, text: 'while you do not' })
    await alice.addPeople({ conversation: choir, handles: ['bob'] })
    await alice.send({ conversation: choir, text: 'welcome back' })
    bob.weather.restore()
    await bob.sees(choir, ['while you belong', 'welcome back'])
    await bob.send({ conversation: choir, text: 'thank you' })
    await alice.sees(choir, ['while you belong', 'while you do not', 'welcome back', 'thank you'])
  })

  test('somebody with no device left cannot be added, and is reached when they are back', async () => {
    const frank = await world.signedUp('Frank')
    await frank.signOut()
    await expect(alice.createGroup({ title: 'Empty', handles: ['frank'] })).rejects.toMatchObject({ failure: 'not_found' })
    await expect(alice.startDirect({ handle: 'frank' })).rejects.toMatchObject({ failure: 'not_found' })
    await frank.signIn({ handle: 'frank', password: PASSWORD })
    const direct = await alice.startDirect({ handle: 'frank' })
    await alice.send({ conversation: direct, text: 'there you are' })
    await frank.sees(direct, ['there you are'])
  })

  test('a timeline grows at its end, keeps its beginning, and shows earlier items when asked', async () => {
    const long = await alice.createGroup({ title: 'Long', handles: ['bob'] })
    await bob.conversation('Long')
    const texts = Array.from({ length: 100 }, (_, at) => `line ${at}`)
    for (const text of texts) await alice.send({ conversation: long, text })
    await alice.messageBecomes(long, 'line 99', 'delivered')
    const timeline = bob.watch('timeline', long)
    const stop = timeline.subscribe(() => undefined)
    const page = await until(timeline, (now) => textsOf(now?.items ?? []).at(-1) === 'line 99')
    expect(page).toMatchObject({ hasEarlier: true })
    expect(page?.items.length).toBe(60)
    await bob.send({ conversation: long, text: 'one more' })
    const grown = await until(timeline, (now) => textsOf(now?.items ?? []).at(-1) === 'one more' && now?.items.at(-1)?.seq !== undefined)
    expect(grown?.items[0]).toEqual(page?.items[0])
    await bob.loadEarlier({ conversation: long, count: 200 })
    await bob.sees(long, [...texts, 'one more'])
    expect(timeline.get()?.hasEarlier).toBe(false)
    stop()
  })

  test('the longest text arrives whole, a longer one is refused before it is queued', async () => {
    const wide = await alice.createGroup({ title: 'Wide', handles: ['bob'] })
    await bob.conversation('Wide')
    await alice.send({ conversation: wide, text: 'x'.repeat(30_000) })
    await bob.sees(wide, ['x'.repeat(30_000)])
    await expect(alice.send({ conversation: wide, text: 'x'.repeat(30_001) })).rejects.toMatchObject({ failure: 'too_large' })
  })
})
