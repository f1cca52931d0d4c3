import { closeCodes, CONTRACT_VERSION, encodeCommand } from '@tacit/contract'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { member, openTown, secondDevice, type Member, type Town } from '../cast.test-support.ts'
import { createConversation, Device, groupOf, messageBody, newConversationId } from './device.test-support.ts'
import { RawSocket } from './raw-socket.test-support.ts'
import { upgradeOutcome } from './upgrade.test-support.ts'

/** Time that tests move; the server's sweep looks at it once a real second. */
const clock = { time: Date.now(), now: () => clock.time }
let town: Town
let alice: Member
let bob: Member

beforeAll(async () => {
  town = await openTown({}, { clock })
  ;[alice, bob] = await Promise.all([member(town, 'alice'), member(town, 'bob')])
})
afterAll(() => town.close())

const open: Device[] = []
const connected = async (device: Promise<Device>): Promise<Device> => {
  open.push(await device)
  return device
}
afterEach(() => open.splice(0).forEach(({ socket }) => socket.terminate()))

describe('an upgrade request', () => {
  test('B-051: from a page of another website is refused, also when it hides where it comes from', async () => {
    for (const origin of ['https://evil.example', 'null', `${town.url}.evil.example`]) {
      expect(await upgradeOutcome(town.url, { origin })).toMatchObject({ status: 403, name: 'origin_refused' })
    }
    expect(await upgradeOutcome(town.url, { headers: { 'sec-fetch-site': 'cross-site' } })).toMatchObject({ status: 403 })
    expect(await upgradeOutcome(town.url, { origin: town.url })).toMatchObject({ status: 101 })
    expect(await upgradeOutcome(town.url)).toMatchObject({ status: 101 })
  })

  test('B-052: without our subprotocol is refused, with another version of it too', async () => {
    expect(await upgradeOutcome(town.url, { protocols: [] })).toMatchObject({ status: 400, name: 'malformed' })
    expect(await upgradeOutcome(town.url, { protocols: ['graphql-ws'] })).toMatchObject({ status: 400, name: 'malformed' })
    expect(await upgradeOutcome(town.url, { protocols: ['tacit.v9'] })).toMatchObject({ status: 426, name: 'client_too_old' })
  })

  test('B-062: that offers compression gets a socket without it', async () => {
    const { head } = await RawSocket.upgrade(town.url, { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' })
    expect(head).toContain('101 Switching Protocols')
    expect(head.toLowerCase()).not.toContain('sec-websocket-extensions')
  })

  test('B-074: with cookies is refused, and cookies never say who it is', async () => {
    expect(await upgradeOutcome(town.url, { headers: { cookie: `session=${alice.token}` } })).toMatchObject({ status: 403 })
    const device = await connected(Device.open(town, { origin: town.url, headers: { cookie: `session=${alice.token}` } }))
    expect(await device.outcome('delivery.resume', { cursors: [] })).toBe('unauthenticated')
    expect(await device.closed).toBe(closeCodes.unauthenticated)
  })

  test('anywhere else than at the socket is not found, and one with a query is refused', async () => {
    for (const path of ['/elsewhere', '/v1/socket/']) expect(await upgradeOutcome(town.url + path)).toMatchObject({ status: 404 })
    const { status } = await town.request(`/v1/socket?accessToken=${alice.token}`)
    expect(status).toBe(400)
  })
})

describe('the first frame', () => {
  test('B-053: must come within 5 s', async () => {
    const device = await connected(Device.open(town))
    clock.time += 5001
    expect(await device.closed).toBe(closeCodes.unauthenticated)
  })

  test('must be a hello with a good token of a device', async () => {
    const bad = await connected(Device.open(town))
    expect(await bad.outcome('connection.hello', { accessToken: 'A'.repeat(43), contract: CONTRACT_VERSION })).toBe('unauthenticated')
    expect(await bad.closed).toBe(closeCodes.unauthenticated)
    const { body: tokens } = await bob.person.signIn(town)
    const deviceless = await connected(Device.open(town))
    expect(await deviceless.outcome('connection.hello', { accessToken: tokens.accessToken, contract: CONTRACT_VERSION })).toBe(
      'device_needed',
    )
    expect(await deviceless.closed).toBe(closeCodes.forbidden)
  })

  test('tells who one is and how long, and commands right behind it wait for it', async () => {
    const device = await connected(Device.open(town))
    const [hello] = await Promise.all([device.hello(alice.token, 255), device.expect('delivery.resume', { cursors: [] })])
    expect(hello).toMatchObject({ account: alice.person.account, device: alice.device, contract: CONTRACT_VERSION })
    expect(hello.expiresIn).toBeGreaterThan(800)
    await device.until(() => device.has('delivery.caughtUp'))
  })

  test('comes once', async () => {
    const device = await connected(Device.online(town, alice))
    expect(await device.outcome('connection.hello', { accessToken: alice.token, contract: CONTRACT_VERSION })).toBe('malformed')
    expect(await device.outcome('delivery.resume', { cursors: [] })).toBe('accepted')
  })
})

describe('a token', () => {
  test('B-054: that ends is announced 60 s before; renewed in place the socket stays, else it closes', async () => {
    const [hers, his] = await Promise.all([connected(Device.online(town, alice)), connected(Device.online(town, bob))])
    const keepAwake = async (): Promise<void> => {
      for (const { socket } of [hers, his]) {
        if (socket.readyState !== socket.OPEN) continue
        socket.ping()
        await new Promise((resolve) => socket.once('pong', resolve))
      }
    }
    const renewed = await town.request<{ accessToken: string }>('/v1/sessions/renew', { body: { refreshToken: alice.tokens.refreshToken } })
    const until = clock.time + 15 * 60_000
    while (clock.time < until - 61_000) {
      clock.time += 20_000
      await keepAwake()
    }
    const ending = (device: Device) => device.bodies('connection.ending')
    await Promise.all([hers, his].map((device) => device.until(() => ending(device).length > 0)))
    expect(ending(his)[0]).toMatchObject({ reason: 'expiring' })
    expect(ending(his)[0]?.seconds).toBeLessThanOrEqual(60)
    const fresh = await town.request<{ accessToken: string; refreshToken: string }>('/v1/sessions/renew', {
      body: { refreshToken: (renewed.body as { refreshToken?: string }).refreshToken },
    })
    expect(await hers.expect('connection.renew', { accessToken: fresh.body.accessToken })).toMatchObject({ expiresIn: 900 })
    clock.time += 50_000
    await keepAwake()
    clock.time += 15_000
    expect(await his.closed).toBe(closeCodes.unauthenticated)
    expect(await hers.outcome('delivery.acknowledge', { cursors: [] })).toBe('accepted')
    alice = { ...alice, token: fresh.body.accessToken }
    bob = {
      ...bob,
      token: (await town.request<{ accessToken: string }>('/v1/sessions/renew', { body: { refreshToken: bob.tokens.refreshToken } })).body
        .accessToken,
    }
  })

  test('B-073: of another device does not renew a socket', async () => {
    const device = await connected(Device.online(town, alice))
    expect(await device.outcome('connection.renew', { accessToken: bob.token })).toBe('unauthenticated')
    expect(await device.closed).toBe(closeCodes.forbidden)
  })

  test('whose session is revoked ends the socket at once', async () => {
    const phone = await secondDevice(town, alice.person)
    const device = await connected(Device.online(town, phone))
    await town.request(`/v1/sessions/${phone.tokens.session}`, { method: 'DELETE', token: alice.token })
    expect(await device.closed).toBe(closeCodes.unauthenticated)
    expect(device.bodies('connection.ending')).toEqual([{ reason: 'revoked', seconds: 0 }])
  })
})

describe('what a device says of cursors', () => {
  test('B-065: more than 1,000 conversations in a frame are malformed', async () => {
    const device = await connected(Device.online(town, alice))
    const cursors = Array.from({ length: 1001 }, () => ({ conversation: newConversationId(), seq: 0 }))
    expect(await device.outcome('delivery.resume', { cursors })).toBe('malformed')
    expect(await device.outcome('delivery.resume', { cursors: cursors.slice(1) })).toBe('accepted')
  })

  test('B-066: an acknowledgement of what never was ends the socket with 4400', async () => {
    const { conversation, talkers } = await groupOf(town, alice, [bob])
    open.push(...talkers.map(({ device }) => device))
    const his = talkers[1]?.device
    his?.socket.send(encodeCommand({ ref: 900, name: 'delivery.acknowledge', body: { cursors: [{ conversation, seq: 99 }] } }))
    expect(await his?.closed).toBe(closeCodes.malformed)
  })

  test('B-067: an acknowledgement that goes backwards changes nothing', async () => {
    const { conversation, talkers } = await groupOf(town, alice, [bob])
    const [hers] = talkers
    open.push(...talkers.map(({ device }) => device))
    for (let at = 0; at < 3; at++) await hers.send(conversation, 1)
    for (const seq of [4, 2])
      expect(await hers.device.outcome('delivery.acknowledge', { cursors: [{ conversation, seq }] })).toBe('accepted')
    const again = await connected(Device.online(town, alice))
    expect(again.entries(conversation)).toEqual([])
  })
})

describe('stopping', () => {
  test('F-03: everybody is told, what was under way is answered, and the sockets close with 1012', async () => {
    const leaving = await openTown()
    const carol = await member(leaving, 'carol')
    const conversation = await createConversation(leaving, carol)
    const device = await Device.online(leaving, carol)
    const sending = device.outcome('delivery.send', messageBody({ conversation, epoch: 0, clientSeq: 1 }))
    await sending
    await leaving.close()
    expect(await device.closed).toBe(closeCodes.shuttingDown)
    expect(device.bodies('connection.ending')).toEqual([{ reason: 'draining', seconds: 0 }])
  })
})
