import { DeviceId, labelOf, toBase64Url } from '@tacit/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { member, openTown, secondDevice, type Member, type Town } from '../cast.test-support.ts'
import { newDeviceId, newKeys } from '../identity.test-support.ts'

let town: Town
beforeAll(async () => {
  town = await openTown()
})
afterAll(() => town.close())

const replaceList = (token: string, deviceList: string) => town.request('/v1/device-list', { method: 'PUT', token, body: { deviceList } })
const proofFor = (at: Town, { person, token }: Member) =>
  at.request<{ proof: string }>(`/v1/transparency/places/${toBase64Url(labelOf(person.account))}`, { token })
const listOf = (reader: Member, owner: Member) => town.request(`/v1/accounts/${owner.person.account}/device-list`, { token: reader.token })

test('a new device of Alice enrols itself with a list that she signed, and binds its session', async () => {
  const alice = await member(town, 'alice')
  const laptop = await secondDevice(town, alice.person)
  const me = await town.request<{ device: string; deviceList: string }>('/v1/me', { token: laptop.token })
  expect(me.body).toMatchObject({ device: laptop.device, deviceList: toBase64Url(alice.person.list) })
  expect((await listOf(alice, alice)).body).toEqual({ deviceList: toBase64Url(alice.person.list), handle: 'alice' })
})

test('a device that leaves the list loses its session and its key packages, the others keep theirs', async () => {
  const bob = await member(town, 'bob')
  const phone = await secondDevice(town, bob.person)
  bob.person.drop(phone.device)
  expect((await replaceList(bob.token, await bob.person.nextList())).body).toEqual({ version: 3 })
  expect((await town.request('/v1/me', { token: phone.token })).status).toBe(401)
  expect((await town.request('/v1/me', { token: bob.token })).status).toBe(200)
  const claimed = await town.request<{ keyPackages: { device: string }[] }>('/v1/key-packages/claim', {
    token: bob.token,
    body: { account: bob.person.account, devices: [bob.device, phone.device] },
  })
  expect(claimed.body.keyPackages.map(({ device }) => device)).toEqual([bob.device])
})

test('a device that lost its session but not its keys binds a new one with the next list', async () => {
  const alice = await member(town, 'forgetful')
  const { body: session } = await alice.person.signIn(town)
  const body = {
    device: alice.device,
    deviceList: await alice.person.nextList(),
    keys: await alice.person.keyUpload(alice.device, { oneTime: 1 }),
  }
  expect((await town.request('/v1/devices', { token: session.accessToken, body })).status).toBe(201)
  const me = await town.request<{ device: string }>('/v1/me', { token: session.accessToken })
  expect(me.body.device).toBe(alice.device)
})

describe('to take another device off the list', () => {
  const DAY = 86_400_000
  const renewed = async (place: Town, { tokens }: Member) =>
    (await place.request<{ accessToken: string }>('/v1/sessions/renew', { body: { refreshToken: tokens.refreshToken } })).body.accessToken

  async function later(passed: number) {
    let now = Date.now()
    const place = await openTown({}, { clock: { now: () => now } })
    const alice = await member(place, 'alice')
    const phone = await secondDevice(place, alice.person)
    now += passed
    return { place, alice, phone }
  }
  const put = async (place: Town, token: string, deviceList: string) =>
    place.request('/v1/device-list', { method: 'PUT', token, body: { deviceList } })

  test('takes a proof of the last two minutes while it is in use; the device itself may go at any time', async () => {
    const { place, alice, phone } = await later(120_000)
    alice.person.drop(phone.device)
    const next = await alice.person.nextList()
    const refused = await put(place, alice.token, next)
    expect([refused.status, refused.body.name]).toEqual([403, 'proof_needed'])
    expect((await place.request('/v1/me', { token: phone.token })).status).toBe(200)
    expect((await put(place, phone.token, next)).status).toBe(200)
    await place.close()
  })

  test('takes none when it has used no session for 14 days', async () => {
    const { place, alice, phone } = await later(14 * DAY + 1)
    alice.person.drop(phone.device)
    expect((await put(place, await renewed(place, alice), await alice.person.nextList())).status).toBe(200)
    await place.close()
  })

  test('takes one when it was used 14 days ago, less a moment', async () => {
    const { place, alice, phone } = await later(14 * DAY - 60_000)
    alice.person.drop(phone.device)
    const refused = await put(place, await renewed(place, alice), await alice.person.nextList())
    expect(refused.body.name).toBe('proof_needed')
    await place.close()
  })
})

describe('a list is refused', () => {
  test('when another key signed it, whoever asks', async () => {
    const carol = await member(town, 'carol')
    const { sign } = await newKeys()
    const refused = await replaceList(carol.token, await carol.person.nextList(sign))
    expect([refused.status, refused.body.name]).toEqual([422, 'invalid_device_list'])
  })

  test('when it is sound in itself but under another account key: nobody takes an account over that way', async () => {
    const victim = await member(town, 'victim')
    const thief = await victim.person.underAnotherKey()
    const refused = await replaceList(victim.token, await thief.nextList())
    expect([refused.status, refused.body.name]).toEqual([422, 'invalid_device_list'])
  })

  test('when it is offered as one that this server had and lost, and its own signature does not say so', async () => {
    const other = await openTown()
    const { body: elsewhere } = await proofFor(other, await member(other, 'eva'))
    await other.close()
    const kim = await member(town, 'kim')
    const phone = await secondDevice(town, kim.person)
    const { body: current } = await proofFor(town, kim)
    kim.person.drop(phone.device)
    const deviceList = await kim.person.nextList()
    // Nobody has proved anything, and both are true proofs of other lists.
    for (const { proof } of [current, elsewhere, { proof: 'AAAA' }]) {
      const refused = await town.request('/v1/device-list/again', { method: 'PUT', token: kim.token, body: { deviceList, proof } })
      expect([refused.status, refused.body.name]).toEqual([422, 'invalid_device_list'])
    }
    expect((await town.request('/v1/me', { token: phone.token })).status).toBe(200)
  })

  test('when it is somebody else’s', async () => {
    const [carol, mallory] = [await member(town, 'carol2'), await member(town, 'mallory')]
    const refused = await replaceList(mallory.token, await carol.person.nextList())
    expect([refused.status, refused.body.name]).toEqual([422, 'invalid_device_list'])
  })

  test('when it does not follow the current one: repeated, skipped, or of another chain', async () => {
    const dora = await member(town, 'dora')
    const first = toBase64Url(dora.person.list)
    const repeated = await replaceList(dora.token, first)
    expect(repeated.body).toMatchObject({ name: 'version_conflict', details: { version: 1 } })
    await dora.person.nextList()
    const skipped = await replaceList(dora.token, await dora.person.nextList())
    expect(skipped.body).toMatchObject({ name: 'version_conflict', details: { version: 1 } })
    dora.person.version = 1
    const forked = await replaceList(dora.token, await dora.person.nextList())
    expect([forked.status, forked.body.name]).toEqual([422, 'invalid_device_list'])
  })

  test('when it names a device that never enrolled', async () => {
    const eve = await member(town, 'eve')
    await eve.person.certify(newDeviceId())
    const refused = await replaceList(eve.token, await eve.person.nextList())
    expect([refused.status, refused.body.name]).toEqual([422, 'invalid_device_list'])
  })

  test('when a device on it changed its key', async () => {
    const frank = await member(town, 'frank')
    await frank.person.certify(frank.device)
    const refused = await replaceList(frank.token, await frank.person.nextList())
    expect([refused.status, refused.body.name]).toEqual([422, 'invalid_device_list'])
  })
})

describe('an enrolment is refused', () => {
  test('for a session that has a device already', async () => {
    const gina = await member(town, 'gina')
    const device = newDeviceId()
    await gina.person.certify(device)
    const body = { device, deviceList: await gina.person.nextList(), keys: await gina.person.keyUpload(device, { oneTime: 1 }) }
    const refused = await town.request('/v1/devices', { token: gina.token, body })
    expect([refused.status, refused.body.name]).toEqual([409, 'already_exists'])
  })

  test('for a device id of somebody else, or of a device that was removed', async () => {
    const [heidi, ivan] = [await member(town, 'heidi'), await member(town, 'ivan')]
    const gone = await secondDevice(town, heidi.person)
    heidi.person.drop(gone.device)
    await replaceList(heidi.token, await heidi.person.nextList())
    for (const device of [ivan.device, gone.device]) {
      const { body: session } = await heidi.person.signIn(town)
      await heidi.person.certify(device)
      const body = { device, deviceList: await heidi.person.nextList(), keys: await heidi.person.keyUpload(device, { oneTime: 1 }) }
      const refused = await town.request('/v1/devices', { token: session.accessToken, body })
      expect([refused.status, refused.body.name]).toEqual([409, 'already_exists'])
      heidi.person.forgetLastList(device)
    }
  })

  test('beyond eight devices', async () => {
    const judy = await member(town, 'judy')
    for (let count = 1; count < 8; count++) await secondDevice(town, judy.person)
    const { body: session } = await judy.person.signIn(town)
    const device = newDeviceId()
    await judy.person.certify(device)
    const body = { device, deviceList: await judy.person.nextList(), keys: await judy.person.keyUpload(device, { oneTime: 1 }) }
    const refused = await town.request('/v1/devices', { token: session.accessToken, body })
    expect([refused.status, refused.body.name]).toEqual([409, 'too_many'])
  })
})

test('B-026 the device list of a stranger is the same 404 as that of nobody', async () => {
  const [alice, stranger] = [await member(town, 'alice9'), await member(town, 'stranger')]
  const theirs = await listOf(stranger, alice)
  const nobodys = await town.request(`/v1/accounts/${DeviceId.parse(newDeviceId())}/device-list`, { token: stranger.token })
  expect({ ...theirs.body, requestId: '' }).toEqual({ ...nobodys.body, requestId: '' })
  expect(theirs.status).toBe(404)
})
