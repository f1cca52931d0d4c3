import { toBase64Url } from '@tacit/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { noticesOf, openWorld, PASSWORD, until, type World, type WorldDevice } from './index.ts'
import type { LinkingState } from '@tacit/sdk'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

/** The state once it is of this kind; fails when the link is over first. */
async function linking<K extends LinkingState['kind']>(device: WorldDevice, kind: K): Promise<Extract<LinkingState, { kind: K }>> {
  const state = await until(device.watch('linking'), (now) => now.kind === kind || now.kind === 'over')
  if (state.kind !== kind) throw new Error(`it is ${JSON.stringify(state)}`)
  return state as Extract<LinkingState, { kind: K }>
}

const ended = async (device: WorldDevice) => until(device.watch('linking'), ({ kind }) => kind === 'over')

async function showing(name: string) {
  const device = await world.device(name)
  await device.beginLinking({ deviceName: name })
  return { device, ...(await linking(device, 'showing')) }
}

/** Brings the code and compares, without approving. */
async function compared(old: WorldDevice, device: WorldDevice, code: string) {
  await old.claimLink({ code })
  const [here, there] = [await linking(old, 'comparing'), await linking(device, 'comparing')]
  return { here: here.digits, there: there.digits }
}

test('a new device is linked by typed code, has the conversations, and writes', async () => {
  const alice = await world.signedUp('Alice')
  const bob = await world.signedUp('Bob')
  const direct = await alice.startDirect({ handle: 'bob' })
  await alice.send({ conversation: direct, text: 'from the first' })
  await bob.sees(direct, ['from the first'])

  const { device: tablet, code } = await showing('Tablet')
  const { here, there } = await compared(alice, tablet, code.toLowerCase())
  expect(here).toBe(there)
  expect(tablet.watch('linking').get()).toMatchObject({ handle: 'Alice' })
  await alice.proveByPassword({ password: PASSWORD })
  await alice.approveLink()
  expect(alice.watch('linking').get()).toEqual({ kind: 'done', side: 'old' })
  await until(tablet.watch('session'), ({ kind }) => kind === 'signed_in')
  await tablet.conversation('Bob')
  await tablet.send({ conversation: direct, text: 'from the tablet' })
  const { items } = await bob.sees(direct, ['from the first', 'from the tablet'])
  expect(noticesOf(items)).toContain('device_joined Alice')
  expect((await alice.devices()).map(({ name }) => name).toSorted()).toEqual(['Device', 'Tablet'])
})

test('every other device says that there is a new one, until somebody there says that they know', async () => {
  const wendy = await world.signedUp('Wendy')
  const laptop = await world.signedIn('wendy')
  const first = await until(wendy.watch('newDevices'), (now) => now?.length === 1)
  expect(await until(laptop.watch('newDevices'), (now) => now !== undefined)).toEqual([])
  await wendy.restart()
  expect(await until(wendy.watch('newDevices'), (now) => now?.length === 1)).toEqual(first)
  await wendy.acknowledgeDevices()
  await until(wendy.watch('newDevices'), (now) => now?.length === 0)
  const { device: phone, qr } = await showing('Phone')
  await compared(laptop, phone, qr)
  await laptop.proveByPassword({ password: PASSWORD })
  await laptop.approveLink()
  await Promise.all([wendy, laptop].map((device) => until(device.watch('newDevices'), (now) => now?.length === 1)))
  await until(phone.watch('session'), ({ kind }) => kind === 'signed_in')
  expect(await until(phone.watch('newDevices'), (now) => now !== undefined)).toEqual([])
})

test('a device that its owner removes is out of every conversation, and its session, store key and vault key open nothing', async () => {
  const carol = await world.signedUp('Carol')
  const dave = await world.signedUp('Dave')
  const direct = await carol.startDirect({ handle: 'dave' })
  const phone = await world.signedIn('carol')
  await phone.conversation('Dave')
  await dave.details(direct, ({ members }) => members.some(({ devices }) => devices === 2))
  const lost = (await carol.devices()).find(({ current }) => !current)
  if (!lost) throw new Error('no other device')
  await carol.nameDevice({ device: lost.device, name: 'Old phone' })
  expect((await carol.devices()).map(({ name }) => name)).toContain('Old phone')
  await carol.removeDevice({ device: lost.device })
  await until(phone.watch('session'), ({ kind }) => kind === 'session_ended')
  await dave.details(direct, ({ members }) => members.every(({ devices }) => devices === 1))
  await dave.send({ conversation: direct, text: 'not for the lost one' })
  await carol.sees(direct, ['not for the lost one'])
  await phone.sees(direct, [])
  expect((await carol.devices()).length).toBe(1)
})

test('M-29: approving takes a proof; without one the digits stay, and with it the device is let in', async () => {
  let ahead = 0
  await using later = await openWorld({ clock: { ...hurried(() => ahead) } })
  const erin = await later.signedUp('Erin')
  ahead = 150_000
  const tablet = await later.device('tablet')
  await tablet.beginLinking({})
  const { code } = await linking(tablet, 'showing')
  await compared(erin, tablet, code)
  await expect(erin.approveLink()).rejects.toMatchObject({ failure: 'proof_needed' })
  expect(erin.watch('linking').get().kind).toBe('comparing')
  await expect(erin.proveByPassword({ password: 'not hers' })).rejects.toMatchObject({ failure: 'wrong_credentials' })
  await expect(erin.approveLink()).rejects.toMatchObject({ failure: 'proof_needed' })
  await erin.proveByPassword({ password: PASSWORD })
  expect((await erin.proofState()).provedFor).toBeGreaterThan(100)
  await erin.approveLink()
  await until(tablet.watch('session'), ({ kind }) => kind === 'signed_in')
})

test('M-29: a code is refused in words of its own: not a code, unknown, of another server, used, expired, cancelled', async () => {
  const [frank, grace] = [await world.signedUp('Frank'), await world.signedUp('Grace')]
  const brings = async (device: WorldDevice, code: string) => {
    await device.claimLink({ code })
    return device.watch('linking').get()
  }
  const over = (why: string, side = 'old') => ({ kind: 'over', side, why })
  expect(await brings(frank, 'hello')).toEqual(over('wrong_code'))
  expect(await brings(frank, '0000-0000')).toEqual(over('wrong_code'))
  const tablet = await showing('tablet')
  expect(await brings(frank, tablet.qr.replace(/:http:.*/, ':https://elsewhere.example'))).toEqual(over('other_server'))
  await compared(frank, tablet.device, tablet.code)
  expect(await brings(grace, tablet.code)).toEqual(over('used'))
  expect(tablet.device.watch('linking').get().kind).toBe('comparing')
  await frank.cancelLinking({})
  expect(frank.watch('linking').get()).toEqual(over('cancelled_here'))
  expect(await ended(tablet.device)).toEqual(over('cancelled_there', 'new'))
  const phone = await showing('phone')
  await phone.device.cancelLinking({})
  expect(phone.device.watch('linking').get()).toEqual(over('cancelled_here', 'new'))
  expect(await brings(frank, phone.code)).toEqual(over('cancelled_there'))
})

test('M-29: a code that nobody brings is over after 90 seconds, on both sides', async () => {
  let ahead = 0
  await using later = await openWorld({ clock: hurried(() => ahead) })
  const henry = await later.signedUp('Henry')
  const tablet = await later.device('tablet')
  await tablet.beginLinking({})
  const { code } = await linking(tablet, 'showing')
  ahead = 90_000
  await henry.claimLink({ code })
  expect(henry.watch('linking').get()).toEqual({ kind: 'over', side: 'old', why: 'expired' })
  expect(await ended(tablet)).toEqual({ kind: 'over', side: 'new', why: 'expired' })
})

test('M-29: what the server puts in between shows as other digits, and nobody is let in', async () => {
  const ines = await world.signedUp('Ines')
  const tablet = await world.device('tablet')
  // To the new device the server shows a key of its own. It cannot play the old one's part, but it can make it look for now.
  tablet.weather.forgeAnswers((url, body) =>
    url.endsWith('/v1/links/look') && isOffer(body) ? { ...body, key: toBase64Url(new Uint8Array(32).fill(9)) } : body,
  )
  await tablet.beginLinking({})
  const { code } = await linking(tablet, 'showing')
  const { here, there } = await compared(ines, tablet, code)
  expect(here).not.toBe(there)
  await ines.cancelLinking({ different: true })
  expect(ines.watch('linking').get()).toEqual({ kind: 'over', side: 'old', why: 'different' })
  expect(await ended(tablet)).toEqual({ kind: 'over', side: 'new', why: 'cancelled_there' })
})

test('M-29: a person who does not compare is not helped, but a handover by the wrong device is still not taken', async () => {
  const jack = await world.signedUp('Jack')
  const tablet = await world.device('tablet')
  tablet.weather.forgeAnswers((url, body) =>
    url.endsWith('/v1/links/look') && isOffer(body) ? { ...body, key: toBase64Url(new Uint8Array(32).fill(9)) } : body,
  )
  await tablet.beginLinking({})
  const { code } = await linking(tablet, 'showing')
  await compared(jack, tablet, code)
  await jack.proveByPassword({ password: PASSWORD })
  await jack.approveLink()
  expect(jack.watch('linking').get()).toMatchObject({ kind: 'over', why: 'cancelled_there' })
  expect(await ended(tablet)).toEqual({ kind: 'over', side: 'new', why: 'tampered' })
  expect(tablet.watch('session').get().kind).toBe('signed_out')
})

test('M-29: keys that do not fit what was promised, by the server or by the scanned code, end the link at once', async () => {
  const kate = await world.signedUp('Kate')
  const swapped = await showing('swapped')
  kate.weather.forgeAnswers((url, body) =>
    url.includes('/v1/links/') && isRevealed(body) ? { ...body, nonce: toBase64Url(new Uint8Array(32)) } : body,
  )
  await kate.claimLink({ code: swapped.code })
  expect(kate.watch('linking').get()).toEqual({ kind: 'over', side: 'old', why: 'tampered' })
  expect(await ended(swapped.device)).toMatchObject({ why: 'cancelled_there' })

  const scanned = await showing('scanned')
  kate.weather.forgeAnswers((url, body) =>
    url.endsWith('/v1/links/claim') && isClaim(body) ? { ...body, commitment: toBase64Url(new Uint8Array(32)) } : body,
  )
  await kate.claimLink({ code: scanned.qr })
  expect(kate.watch('linking').get()).toEqual({ kind: 'over', side: 'old', why: 'tampered' })
  expect(await ended(scanned.device)).toMatchObject({ why: 'cancelled_there' })
})

test('M-29: a device that the server lets into another account than it was handed stays out', async () => {
  const liam = await world.signedUp('Liam')
  const mallory = await world.signedUp('Mallory')
  const { device: tablet, code } = await showing('tablet')
  const session = mallory.watch('session').get()
  if (session.kind !== 'signed_in') throw new Error('not signed in')
  tablet.weather.forgeAnswers((url, body) =>
    url.endsWith('/v1/links/take') && isRecord(body) ? { ...body, account: session.me.account } : body,
  )
  await compared(liam, tablet, code)
  await liam.proveByPassword({ password: PASSWORD })
  await liam.approveLink()
  expect(await ended(tablet)).toMatchObject({ why: 'tampered' })
  expect(tablet.watch('session').get().kind).toBe('signed_out')
})

test('a device that nobody used for 45 days is taken off by another one, without anybody asking', async () => {
  const DAY = 86_400_000
  let ahead = 0
  await using later = await openWorld({ clock: hurried(() => ahead) })
  const mona = await later.signedUp('Mona')
  const nick = await later.signedUp('Nick')
  const direct = await mona.startDirect({ handle: 'nick' })
  const drawer = await later.signedIn('mona')
  await drawer.conversation('Nick')
  await nick.details(direct, ({ members }) => members.some(({ devices }) => devices === 2))
  drawer.weather.cut()
  for (const days of [20, 40, 44, 46]) {
    ahead = days * DAY
    await mona.restart()
    await mona.online()
    await mona.settle({ within: 20_000 })
    expect((await mona.devices()).length).toBe(days < 45 ? 2 : 1)
  }
  await nick.restart()
  await nick.signIn({ handle: 'nick', password: PASSWORD }).catch(() => undefined)
  await nick.details(direct, ({ members }) => members.every(({ devices }) => devices === 1))
})

/** A clock that can be put forward; what waits comes due as fast as it would. */
const hurried = (ahead: () => number) => ({
  now: () => Date.now() + ahead(),
  after(delay: number, work: () => void) {
    const timer = setTimeout(work, delay)
    return () => clearTimeout(timer)
  },
})

const isRecord = (body: unknown): body is Record<string, unknown> => typeof body === 'object' && body !== null
const isOffer = (body: unknown): body is Record<string, unknown> => isRecord(body) && body['kind'] === 'offered'
const isRevealed = (body: unknown): body is Record<string, unknown> => isRecord(body) && body['kind'] === 'revealed'
const isClaim = (body: unknown): body is Record<string, unknown> => isRecord(body) && 'commitment' in body
