import { afterAll, beforeAll, expect, test } from 'vitest'
import { noticesOf, openWorld, PASSWORD, ShiftedClock, textsOf, until, type World, type WorldDevice } from './index.ts'

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

test('a recovery kit opens an account on an empty device, by its words and by its code, until another kit takes its place', async () => {
  const alice = await world.signedUp('Alice')
  const bob = await world.signedUp('Bob')
  const conversation = await alice.startDirect({ handle: 'bob' })
  const kit = await alice.makeRecoveryKit()
  expect([kit.words.length, kit.handle, kit.server]).toEqual([12, 'Alice', world.url])
  expect((await alice.unlockMethods()).map(({ kind }) => kind)).toEqual(['password', 'kit'])

  for (const typed of [kit.words.join(' '), kit.code]) {
    const empty = await world.device('alice-empty')
    await empty.signInWithKit({ kit: typed })
    await empty.conversation('Bob')
    const text = `by ${typed.slice(0, 5)}`
    await bob.send({ conversation, text })
    // What was written to the device before may have come out of the archive by then, or not.
    await until(empty.watch('timeline', conversation), (now) => textsOf(now?.items ?? []).includes(text))
  }

  const before = Date.now()
  const newer = await alice.makeRecoveryKit()
  const late = await world.device('alice-late')
  const refused = await late.signInWithKit({ kit: kit.code }).catch((error: unknown) => error)
  expect(refused).toMatchObject({ failure: 'kit_replaced' })
  expect((refused as { at: number }).at).toBeGreaterThanOrEqual(before)
  await late.signInWithKit({ kit: newer.code })
  expect((await alice.unlockMethods()).map(({ kind }) => kind)).toEqual(['password', 'kit'])
})

test('a kit of nobody and a mistyped one are told apart', async () => {
  const device = await world.device('lost')
  const zoo = 'zoo '.repeat(11)
  await expect(device.signInWithKit({ kit: `${zoo}wrong` })).rejects.toMatchObject({ failure: 'kit_unknown' })
  await expect(device.signInWithKit({ kit: `${zoo}zoo` })).rejects.toMatchObject({ failure: 'kit_mistyped' })
  await expect(device.signInWithKit({ kit: `${zoo}heron` })).rejects.toMatchObject({ failure: 'kit_word_unknown' })
})

test('a changed password opens the account, the old one does not, and a way to sign in that was removed is over', async () => {
  const dora = await world.signedUp('Dora')
  await dora.setPassword({ password: 'another horse entirely' })
  const tablet = await world.device('dora-tablet')
  await expect(tablet.signIn({ handle: 'dora', password: PASSWORD })).rejects.toMatchObject({ failure: 'wrong_credentials' })
  await tablet.signIn({ handle: 'dora', password: 'another horse entirely' })

  const [password] = await dora.unlockMethods()
  if (!password) throw new Error('no password')
  await expect(dora.removeUnlockMethod(password)).rejects.toMatchObject({ failure: 'not_allowed' })
  const kit = await dora.makeRecoveryKit()
  await tablet.removeUnlockMethod(password)
  const phone = await world.device('dora-phone')
  await expect(phone.signIn({ handle: 'dora', password: 'another horse entirely' })).rejects.toMatchObject({ failure: 'wrong_credentials' })
  await phone.signInWithKit({ kit: kit.code })
  expect((await phone.unlockMethods()).map(({ kind }) => kind)).toEqual(['kit'])
})

test('a reset makes a new account key: everybody who talks to the person sees it, marks fall, and they write again', async () => {
  const [erin, frank, grace] = [await world.signedUp('Erin'), await world.signedUp('Frank'), await world.signedUp('Grace')]
  const direct = await erin.startDirect({ handle: 'frank' })
  const group = await grace.createGroup({ title: 'Reset', handles: ['erin', 'frank'] })
  await Promise.all([erin.conversation('Reset'), frank.conversation('Reset')])
  await erin.send({ conversation: direct, text: 'with the first key' })
  await frank.sees(direct, ['with the first key'])
  const account = accountOf(erin)
  const before = await frank.safetyNumber({ account })
  await frank.setCompared({ account, same: true })

  const code = await world.recover('erin')
  grace.weather.cut()
  const empty = await world.device('erin-empty')
  await expect(empty.resetAccount({ password: 'a fresh beginning' })).rejects.toMatchObject({ failure: 'expired' })
  await expect(
    empty.enterRecoveryCode({ handle: 'erin', code: code.replace(/.$/, (last) => (last === '0' ? '1' : '0')) }),
  ).rejects.toMatchObject({
    failure: 'wrong_credentials',
  })
  await empty.enterRecoveryCode({ handle: 'ERIN', code: code.toLowerCase() })
  await empty.resetAccount({ password: 'a fresh beginning' })

  await Promise.all([empty.conversation('Frank'), empty.conversation('Reset')])
  // The devices of before leave the conversations.
  await frank.details(group, ({ members }) => members.every(({ devices }) => devices === 1))
  // Grace reads the whole change when it is over.
  grace.weather.restore()
  for (const peer of [frank, grace]) {
    const seen = await until(peer.watch('timeline', group), (timeline) =>
      noticesOf(timeline?.items ?? []).includes('identity_changed Erin'),
    )
    expect(noticesOf(seen?.items ?? []).filter((notice) => notice === 'identity_changed Erin')).toHaveLength(1)
  }
  const after = await frank.safetyNumber({ account })
  expect(after.compared).toBe(false)
  expect(after.digits).not.toEqual(before.digits)
  await until(erin.watch('session'), ({ kind }) => kind === 'session_ended')

  await frank.send({ conversation: direct, text: 'who is this?' })
  await empty.sees(direct, ['who is this?'])
  await empty.send({ conversation: direct, text: 'me, with another key' })
  await frank.sees(direct, ['with the first key', 'who is this?', 'me, with another key'])
  await grace.send({ conversation: group, text: 'welcome back' })
  await Promise.all([empty.sees(group, ['welcome back']), frank.sees(group, ['welcome back'])])

  const again = await world.device('erin-again')
  await expect(again.enterRecoveryCode({ handle: 'erin', code })).rejects.toMatchObject({ failure: 'wrong_credentials' })
  await expect(again.signIn({ handle: 'erin', password: PASSWORD })).rejects.toMatchObject({ failure: 'wrong_credentials' })
  await again.signIn({ handle: 'erin', password: 'a fresh beginning' })
  await again.conversation('Reset')
})

test('whoever signs in to a vault that does not open may begin anew, and nobody else may', async () => {
  await world.signedUp('Henry')
  const empty = await world.device('henry-empty')
  empty.weather.forgeAnswers((url, body) => (url.endsWith('/v1/vault') ? withoutParts(body) : body))
  await expect(empty.signIn({ handle: 'henry', password: PASSWORD })).rejects.toMatchObject({ failure: 'vault_locked' })
  empty.weather.restore()
  await empty.resetAccount({ password: PASSWORD })
  expect((await empty.devices()).length).toBe(1)
  expect((await empty.unlockMethods()).map(({ kind }) => kind)).toEqual(['password'])
})

/** A vault whose parts are not those that were sealed. */
const withoutParts = (vault: unknown) => ({ ...(vault as object), parts: [] })

test('a session that was left open cannot make or take away a way to sign in before its person proves who they are', async () => {
  const clock = new ShiftedClock()
  await using later = await openWorld({ clock })
  const wilma = await later.signedUp('Wilma')
  await wilma.makeRecoveryKit()
  clock.ahead = 3 * 60_000
  const kinds = (await wilma.unlockMethods()).map(({ kind, unlock }) => ({ kind, unlock }))
  const kit = kinds.find(({ kind }) => kind === 'kit')
  if (!kit) throw new Error('no kit')
  const needed = { failure: 'proof_needed' }
  await expect(wilma.setPassword({ password: 'the thief has chosen this' })).rejects.toMatchObject(needed)
  await expect(wilma.makeRecoveryKit()).rejects.toMatchObject(needed)
  await expect(wilma.removeUnlockMethod(kit)).rejects.toMatchObject(needed)
  await expect(wilma.proveByPassword({ password: 'the thief has chosen this' })).rejects.toMatchObject({ failure: 'wrong_credentials' })
  await wilma.proveByPassword({ password: PASSWORD })
  await wilma.removeUnlockMethod(kit)
  await wilma.setPassword({ password: 'she has chosen this herself' })
  expect((await wilma.unlockMethods()).map(({ kind }) => kind)).toEqual(['password'])
})
