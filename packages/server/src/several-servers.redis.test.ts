/**
 * Two servers on one database, in one process: whatever is done at one is felt at the other. Everything that matters is proved
 * twice, with a Redis and with one that is not there; then it is found by reading again, within three seconds.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closeCodes, CONTRACT_VERSION, type SessionTokens } from '@tacit/contract'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { RedisLink } from './bus/redis-link.ts'
import { redisUrl } from './bus/redis.test-support.ts'
import { member, openTown, secondDevice, type Member, type Town } from './cast.test-support.ts'
import { createConversation, Device, groupOf, Talker } from './gateway/device.test-support.ts'
import { newPlace, type TestPlace } from './storage/database.test-support.ts'
import type { Settings } from './settings.ts'

/** Nobody listens there. */
const NO_REDIS = 'redis://127.0.0.1:1'
const KEY = 'a key that all servers are given, and long enough'

const SLOWEST = 3000

const open: Device[] = []
const opened = (device: Device): Device => {
  open.push(device)
  return device
}
afterEach(() => Promise.all(open.splice(0).map((device) => device.close())))

interface Pair {
  readonly settings: Pick<Settings, 'database' | 'secretsKey' | 'redis'>
  readonly here: Town
  readonly there: Town
  close(): Promise<void>
}

async function openPair({ redis, ...settings }: Partial<Settings> & Pick<Settings, 'redis'>): Promise<Pair> {
  const place: TestPlace = await newPlace()
  const shared = { database: place.url, secretsKey: KEY, redis, ...settings }
  const [here, there] = await Promise.all([openTown(shared), openTown(shared)])
  const close = async (): Promise<void> => {
    await Promise.all([here.close(), there.close()])
    await place.drop()
  }
  return { settings: shared, here, there, close }
}

const statusOf = async ({ request }: Town): Promise<unknown> => (await request<{ status: string }>('/health/ready')).body.status

const places = [
  { name: 'with Redis', redis: redisUrl, status: 'ok' },
  { name: 'with a Redis that is not there', redis: NO_REDIS, status: 'degraded' },
]

describe.skipIf(!redisUrl).each(places)('two servers $name', ({ redis = '', status }) => {
  let pair: Pair
  let [alice, bob, carol]: Member[] = []
  const [here, there] = [() => pair.here, () => pair.there]
  const someone = (who: Member | undefined): Member => {
    if (!who) throw new TypeError('expected the cast')
    return who
  }

  beforeAll(async () => {
    pair = await openPair({ redis })
    ;[alice, bob, carol] = [await member(here(), 'alice'), await member(there(), 'bob'), await member(here(), 'carol')]
  })
  afterAll(() => pair.close())

  /** Alice's device at one server, Bob's at the other, in a group at epoch 1. */
  async function apart() {
    const hers = await Talker.online(here(), someone(alice))
    const his = await Talker.online(there(), someone(bob))
    open.push(hers.device, his.device)
    const conversation = await createConversation(there(), someone(alice))
    await hers.commit(conversation, { added: [someone(bob)] })
    await his.device.until(() => his.device.bodies('conversations.welcome').some((one) => one.conversation === conversation))
    return { conversation, hers, his }
  }

  test('say how they are', async () => {
    await expect.poll(() => statusOf(here())).toBe(status)
    await expect.poll(() => statusOf(there())).toBe(status)
  })

  test('deliver what comes to the other one, both ways, each entry once, in time', async () => {
    const { conversation, hers, his } = await apart()
    const seqs: number[] = []
    for (const [from, to] of [
      [hers, his],
      [his, hers],
    ] as const) {
      const sentAt = performance.now()
      const { seq } = await from.send(conversation, 1)
      await to.device.until(() => to.device.entries(conversation).at(-1)?.seq === seq)
      expect(performance.now() - sentAt).toBeLessThan(SLOWEST)
      seqs.push(seq)
    }
    const arrived = ({ device }: Talker): number[] => device.entries(conversation).map(({ seq }) => seq)
    await his.device.until(() => arrived(his).length >= 2)
    expect([arrived(hers), arrived(his)]).toEqual([[1, ...seqs], seqs])
  })

  test('let a device follow what it opened by way of the other one', async () => {
    const hers = opened(await Device.online(here(), someone(alice)))
    const conversation = await createConversation(there(), someone(alice))
    const token = await secondDevice(here(), someone(alice).person)
    const second = await Talker.online(there(), token)
    open.push(second.device)
    const { seq } = await second.join(conversation)
    await hers.until(() => hers.entries(conversation).some((entry) => entry.seq === seq))
  })

  test('tell an account’s other device of a conversation that it may join', async () => {
    const second = await secondDevice(here(), someone(carol).person)
    const device = opened(await Device.online(here(), second))
    const conversation = await createConversation(there(), someone(carol))
    await device.until(() => device.bodies('conversations.changed').some((one) => one.conversation === conversation))
  })

  test('hand receipts on, and keep the newest', async () => {
    const { conversation, hers, his } = await apart()
    const receipt = { conversation, epoch: 1, keep: true, bytes: new Uint8Array([1, 2, 3]) }
    await hers.device.expect('signals.send', receipt)
    await his.device.until(() => his.device.bodies('signals.signal').some(({ bytes }) => bytes.length === 3))
  })

  test('end a session’s socket when it is signed out at the other one', async () => {
    const dave = await member(here(), `dave${redis.length}`)
    const device = opened(await Device.online(here(), dave))
    await there().request('/v1/sessions/current', { method: 'DELETE', token: dave.token })
    expect(await device.closed).toBe(closeCodes.unauthenticated)
  })

  test('tell of a new device list', async () => {
    const { his } = await apart()
    await secondDevice(here(), someone(alice).person)
    const { account } = someone(alice).person
    await his.device.until(() => his.device.bodies('devices.changed').some((one) => one.account === account))
  })

  test('give a device one socket: the newer one wins wherever it is, and back again', async () => {
    const first = opened(await Device.online(here(), someone(bob)))
    const second = opened(await Device.online(there(), someone(bob)))
    expect(await first.closed).toBe(closeCodes.replaced)
    const third = opened(await Device.online(here(), someone(bob)))
    expect(await second.closed).toBe(closeCodes.replaced)
    await third.expect('delivery.acknowledge', { cursors: [] })
  })

  test('end all but one of the sockets that a device opens at both in the same moment', async () => {
    const devices = await Promise.all([here(), there(), here(), there()].map((town) => Device.open(town)))
    open.push(...devices)
    await Promise.all(
      devices.map((device) => device.outcome('connection.hello', { accessToken: someone(carol).token, contract: CONTRACT_VERSION })),
    )
    const left = (): Device[] => devices.filter(({ socket }) => socket.readyState === socket.OPEN)
    await expect.poll(() => left().length, { timeout: SLOWEST }).toBe(1)
    await left()[0]?.expect('delivery.acknowledge', { cursors: [] })
  })

  test('finish a sign-in by password that began at the other one, and know its tokens', async () => {
    const between: Town = { ...here(), request: (path, options) => (path.endsWith('/start') ? here() : there()).request(path, options) }
    const { body: tokens } = await someone(alice).person.signIn(between)
    expect((await here().request('/v1/me', { token: tokens.accessToken })).status).toBe(200)
    const renewed = await here().request<SessionTokens>('/v1/sessions/renew', { body: { refreshToken: tokens.refreshToken } })
    expect((await there().request('/v1/me', { token: renewed.body.accessToken })).status).toBe(200)
  })

  test('hand each key package out once, however many ask at both', async () => {
    const erin = await member(here(), `erin${redis.length}`)
    const asked = Array.from({ length: 3 }, (_, at) =>
      (at % 2 === 0 ? here() : there()).request<{ keyPackages: { keyPackage: string }[] }>('/v1/key-packages/claim', {
        token: someone(alice).token,
        body: { account: erin.person.account, devices: [erin.device] },
      }),
    )
    const taken = (await Promise.all(asked)).flatMap(({ body }) => body.keyPackages.map(({ keyPackage }) => keyPackage))
    expect(taken).toHaveLength(3)
    expect(new Set(taken).size).toBe(3)
  })

  test('accept one of two commits that come to both in the same moment', async () => {
    const { conversation } = await apart()
    const [one, other] = [await secondDevice(here(), someone(alice).person), await secondDevice(there(), someone(bob).person)]
    const joining = await Promise.all([Talker.online(here(), one), Talker.online(there(), other)])
    open.push(...joining.map(({ device }) => device))
    const outcomes = await Promise.allSettled(joining.map((talker) => talker.join(conversation)))
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(String(outcome.reason)).toContain('stale_epoch')
    expect(outcomes.some(({ status: became }) => became === 'fulfilled')).toBe(true)
    const epochs = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.epoch] : []))
    expect(new Set(epochs).size).toBe(epochs.length)
  })
})

describe.skipIf(!redisUrl)('by Redis alone', () => {
  const redis = redisUrl ?? ''
  const pairs: Pair[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((device) => device.close()))
    await Promise.all(pairs.splice(0).map((pair) => pair.close()))
  })
  async function openTowns(settings: Partial<Settings> = {}): Promise<Pair> {
    const pair = await openPair({ redis, ...settings })
    pairs.push(pair)
    await expect.poll(() => statusOf(pair.here)).toBe('ok')
    await expect.poll(() => statusOf(pair.there)).toBe('ok')
    return pair
  }

  test('people at both servers see each other come and go', async () => {
    const { here, there } = await openTowns()
    const [alice, bob] = [await member(here, 'alice'), await member(there, 'bob')]
    for (const { token } of [alice, bob]) await here.request('/v1/me', { method: 'PATCH', token, body: { sharesPresence: true } })
    const { talkers, conversation } = await groupOf({ ...here }, alice, [bob])
    const receipt = { conversation, epoch: 1, keep: true, bytes: Uint8Array.of(1) }
    for (const { device } of talkers) {
      await device.expect('signals.send', receipt)
      await device.close()
    }
    const hers = opened(await Device.online(here, alice))
    const his = opened(await Device.online(there, bob))
    const saw = (device: Device, { person }: Member, online: boolean): boolean =>
      device.bodies('signals.presence').some((seen) => seen.account === person.account && seen.online === online)
    await Promise.all([hers.until(() => saw(hers, bob, true)), his.until(() => saw(his, alice, true))])
    await here.request('/v1/me', { method: 'PATCH', token: bob.token, body: { sharesPresence: false } })
    await hers.until(() => saw(hers, bob, false))
  })

  test('typing is passed on', async () => {
    const { here, there } = await openTowns()
    const [alice, bob] = [await member(here, 'alice'), await member(there, 'bob')]
    const [hers, his] = [await Talker.online(here, alice), await Talker.online(there, bob)]
    open.push(hers.device, his.device)
    const conversation = await createConversation(here, alice)
    await hers.commit(conversation, { added: [bob] })
    await his.device.until(() => his.device.has('conversations.welcome'))
    await hers.device.expect('signals.send', { conversation, epoch: 1, keep: false, bytes: new Uint8Array([7]) })
    await his.device.until(() => his.device.has('signals.signal'))
  })

  test('guesses of a password count together, whichever server is asked', async () => {
    const { here, there } = await openTowns({ limitsFactor: 1 })
    const alice = await member(here, 'alice')
    const guess = async (town: Town): Promise<number> => {
      try {
        return (await alice.person.signIn(town, 'wrong')).status
      } catch (error) {
        return String(error).includes('rate_limited') ? 429 : 500
      }
    }
    const statuses: number[] = []
    for (const town of [here, there, here, there, here, there, here]) statuses.push(await guess(town))
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
  })
})

/** What comes from Redis goes through these hands first. */
function disturb(pass: (hear: () => void) => void): void {
  const listen = RedisLink.prototype.listen
  vi.spyOn(RedisLink.prototype, 'listen').mockImplementation(function (this: RedisLink, channel, listener) {
    listen.call(this, channel, (message) => pass(() => listener(message)))
  })
}

describe.skipIf(!redisUrl)('a Redis that is there and cannot be trusted (F-13)', () => {
  let count = 0
  const weathers = [
    { name: 'loses every second doorbell', pass: (hear: () => void): void => void (count++ % 2 === 0 && hear()) },
    { name: 'delivers each doorbell twice', pass: (hear: () => void): void => [hear, hear].forEach((again) => again()) },
    { name: 'delivers doorbells half a minute late', pass: (hear: () => void): void => void setTimeout(hear, 30_000).unref() },
    { name: 'loses everything and says it is well', pass: (): void => undefined },
  ]

  test.each(weathers)('$name: every message arrives once, in time', { timeout: 90_000 }, async ({ pass }) => {
    disturb(pass)
    const pair = await openPair({ redis: redisUrl ?? '' })
    vi.restoreAllMocks()
    const [alice, bob] = [await member(pair.here, 'alice'), await member(pair.there, 'bob')]
    const [hers, his] = [await Talker.online(pair.here, alice), await Talker.online(pair.there, bob)]
    const conversation = await createConversation(pair.here, alice)
    await hers.commit(conversation, { added: [bob] })
    await his.device.until(() => his.device.has('conversations.welcome'))
    const took: number[] = []
    for (let at = 0; at < 24; at++) {
      const sentAt = performance.now()
      const { seq } = await hers.send(conversation, 1)
      await his.device.until(() => his.device.entries(conversation).at(-1)?.seq === seq)
      took.push(performance.now() - sentAt)
    }
    expect(Math.max(...took)).toBeLessThan(SLOWEST)
    expect(his.device.entries(conversation).map(({ seq }) => seq)).toEqual(took.map((_, at) => at + 2))
    await Promise.all([hers.device.close(), his.device.close()])
    await pair.close()
  })
})

describe.skipIf(!redisUrl)('a server that starts beside another', () => {
  test('is refused in words when its key is another one', async () => {
    const pair = await openPair({ redis: redisUrl ?? '' })
    const { database, secretsKey, redis } = pair.settings
    const wrong = openTown({ database, redis, secretsKey: `${secretsKey}!` })
    await expect(wrong).rejects.toThrow('TACIT_SECRETS_KEY does not open the secrets in the database')
    await pair.close()
  })

  test('after one that kept its secrets in its folder has brought them along, knows everybody’s password', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tacit-alone-'))
    const place = await newPlace()
    const alone = await openTown({ dataDir: folder, database: place.url })
    const alice = await member(alone, 'alice')
    await alone.close()
    const shared = { database: place.url, redis: redisUrl ?? '', secretsKey: KEY }
    await expect(openTown(shared)).rejects.toThrow('their secrets are missing')
    await (await openTown({ ...shared, dataDir: folder })).close()
    const other = await openTown(shared)
    expect((await alice.person.signIn(other)).status).toBe(201)
    await other.close()
    await place.drop()
    rmSync(folder, { recursive: true, force: true })
  })
})
