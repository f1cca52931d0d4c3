import { SessionId, toBase64Url, type AccountId, type DeviceId } from '@tacit/contract'
import { createMlsEngine, type LeafIdentity } from '@tacit/mls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBells } from '../bus/bells.ts'
import { createInProcessBus } from '../bus/in-process.ts'
import { engine, member, openTown, secondDevice, type Member, type Town } from '../cast.test-support.ts'
import { newAccountId, newDeviceId, newPerson } from '../identity.test-support.ts'
import { systemClock } from '../clock.ts'
import { budgets, createLimits } from '../gateway/limits.ts'
import { systemRandom } from '../random.ts'
import { openTestDatabase } from '../storage/database.test-support.ts'
import { createKeys } from './keys.ts'

let town: Town
beforeAll(async () => {
  town = await openTown()
})
afterAll(() => town.close())

interface Claimed {
  keyPackages: { device: string; keyPackage: string }[]
}

const publish = (owner: Member, upload: object) => town.request('/v1/key-packages', { token: owner.token, body: upload })
const packages = (owner: Member, wanted: { oneTime: number; lastResort?: boolean }) => owner.person.keyUpload(owner.device, wanted)
const available = async (owner: Member) =>
  (await town.request<{ available: number }>('/v1/key-packages', { token: owner.token })).body.available
const claim = (claimer: Member, owner: Member, devices: readonly string[] = [owner.device]) =>
  town.request<Claimed>('/v1/key-packages/claim', { token: claimer.token, body: { account: owner.person.account, devices } })

test('Bob claims one package for each device of Alice; when none is left he gets the last resort, again and again', async () => {
  const [alice, bob] = [await member(town, 'alice'), await member(town, 'bob')]
  const laptop = await secondDevice(town, alice.person)
  const first = await claim(bob, alice, [alice.device, laptop.device])
  expect(first.body.keyPackages.map(({ device }) => device).toSorted()).toEqual([alice.device, laptop.device].toSorted())
  const seen = new Set<string>()
  for (let count = 0; count < 4; count++) for (const { keyPackage } of (await claim(bob, alice)).body.keyPackages) seen.add(keyPackage)
  expect(seen.size).toBe(3)
  expect(await available(alice)).toBe(0)
})

test('five hundred claims at once never get the same one-time package twice', async () => {
  const alice = await member(town, 'alice-race')
  await publish(alice, await packages(alice, { oneTime: 50 }))
  await publish(alice, await packages(alice, { oneTime: 47 }))
  expect(await available(alice)).toBe(100)
  const claimers = await Promise.all(['race-b', 'race-c', 'race-d', 'race-e'].map((handle) => member(town, handle)))
  const answers = await Promise.all(Array.from({ length: 500 }, (_, at) => claim(claimers[at % 4] ?? alice, alice)))
  const handedOut = answers.flatMap(({ body }) => body.keyPackages.map(({ keyPackage }) => keyPackage))
  expect(handedOut.length).toBe(500)
  const times = new Map<string, number>()
  for (const keyPackage of handedOut) times.set(keyPackage, (times.get(keyPackage) ?? 0) + 1)
  expect([...times.values()].toSorted((left, right) => left - right)).toEqual([...Array.from({ length: 100 }, () => 1), 400])
})

test('B-112: a device has at most a hundred one-time packages, and a refused upload stores none', async () => {
  const carol = await member(town, 'carol')
  await publish(carol, await packages(carol, { oneTime: 50 }))
  const refused = await publish(carol, await packages(carol, { oneTime: 48 }))
  expect([refused.status, refused.body.name, await available(carol)]).toEqual([409, 'too_many', 53])
  expect((await publish(carol, await packages(carol, { oneTime: 47 }))).body).toEqual({ available: 100 })
})

test('a new last resort replaces the old one', async () => {
  const [dora, bob] = [await member(town, 'dora'), await member(town, 'bob-d')]
  for (let count = 0; count < 3; count++) await claim(bob, dora)
  const upload = await packages(dora, { oneTime: 0, lastResort: true })
  await publish(dora, upload)
  expect((await claim(bob, dora)).body.keyPackages).toEqual([{ device: dora.device, keyPackage: upload.lastResort }])
})

test('B-112: uploads at once stay within a device’s hundred together', async () => {
  const dora = await member(town, 'dora-uploads')
  const outcomes = await Promise.all([1, 2, 3, 4].map(async () => publish(dora, await packages(dora, { oneTime: 40 }))))
  expect(outcomes.filter(({ status }) => status === 201)).toHaveLength(2)
  expect(await available(dora)).toBe(83)
})

test('the same package cannot be published twice, by its owner or by somebody else', async () => {
  const [erin, mallory] = [await member(town, 'erin'), await member(town, 'mallory')]
  const upload = await packages(erin, { oneTime: 1 })
  expect((await publish(erin, upload)).status).toBe(201)
  for (const thief of [erin, mallory]) expect((await publish(thief, upload)).body.name).toBe('invalid_key_package')
})

test('a claim tells nothing about accounts and devices that do not exist or do not belong together', async () => {
  const [frank, bob] = [await member(town, 'frank'), await member(town, 'bob-f')]
  const answers = [
    await claim(bob, frank, [bob.device]),
    await claim(bob, frank, [systemRandom.id()]),
    await town.request('/v1/key-packages/claim', { token: bob.token, body: { account: systemRandom.id(), devices: [frank.device] } }),
  ]
  expect(answers.map(({ status, body }) => [status, body])).toEqual(answers.map(() => [200, { keyPackages: [] }]))
  expect(await available(frank)).toBe(3)
})

test.each([
  ['over its size', { oneTime: [toBase64Url(new Uint8Array(16 * 1024 + 1))] }],
  ['empty', { oneTime: [''] }],
  ['among too many', { oneTime: Array.from({ length: 51 }, () => 'AAAA') }],
])('a package %s is refused', async (_what, upload) => {
  const gina = await member(town, `gina${systemRandom.id().replaceAll(/[^a-z]/gi, 'x')}`)
  expect((await publish(gina, upload)).status).toBe(400)
})

describe('a key package is refused, and with it the upload,', () => {
  const now = BigInt(Math.floor(Date.now() / 1000))
  const day = 86_400n
  interface Making {
    readonly identity: LeafIdentity
    readonly notBefore: bigint
    readonly notAfter: bigint
    readonly lastResort: boolean
  }
  /** A package as Ina's device would make it, but for what is changed. */
  const made = async (ina: Member, changes: Partial<Making> = {}, by = engine): Promise<Uint8Array> => {
    const own = { identity: ina.person.identityOf(ina.device), notBefore: now - 60n, notAfter: now + day, lastResort: false }
    return (await by.createKeyPackage({ ...own, ...changes })).keyPackage
  }
  const otherBytes = async (ina: Member, at: number) => {
    const bytes = await made(ina)
    return bytes.map((byte, index) => (index === bytes.length + at ? byte ^ 1 : byte))
  }
  const forged = async (ina: Member): Promise<LeafIdentity> => {
    const { signature } = ina.person.identityOf(ina.device)
    const thief = await ina.person.underAnotherKey()
    return { credential: thief.identityOf(ina.device).credential, signature }
  }
  const cases: readonly (readonly [string, (ina: Member) => Promise<Uint8Array>])[] = [
    ['B-088: of junk', async () => systemRandom.bytes(300)],
    ['B-090: with a byte behind it', async (ina) => Buffer.concat([await made(ina), Buffer.of(0)])],
    ['B-096: of another ciphersuite', async (ina) => made(ina, {}, await createMlsEngine({ suite: 1 }))],
    ['B-107: with another signature', (ina) => otherBytes(ina, -1)],
    ['B-107: with another init key', (ina) => otherBytes(ina, 40 - 1700)],
    [
      'B-108: for ten years',
      async (ina) => made(ina, { notAfter: now + 3650n * day }, await createMlsEngine({ maxLifetime: 4000n * day })),
    ],
    ['B-108: that does not hold yet', (ina) => made(ina, { notBefore: now + day, notAfter: now + 2n * day })],
    ['B-108: that has ended', (ina) => made(ina, { notBefore: now - 2n * day, notAfter: now - day })],
    [
      'B-110: of somebody else',
      async () => {
        const other = await newPerson()
        return (await engine.createKeyPackage({ identity: other.identity, notBefore: now - 60n, notAfter: now + day, lastResort: false }))
          .keyPackage
      },
    ],
    ['B-110: with a certificate that another account key signed', async (ina) => made(ina, { identity: await forged(ina) })],
    [
      'B-110: with no certificate',
      (ina) => made(ina, { identity: { ...ina.person.identityOf(ina.device), credential: new Uint8Array(9) } }),
    ],
    ['that says it is a last resort and is given as another', (ina) => made(ina, { lastResort: true })],
  ]
  test.each(cases)('%s', async (_what, make) => {
    const ina = await member(town, `ina${systemRandom.id().replaceAll(/[^a-z]/gi, 'x')}`)
    const before = await available(ina)
    const oneTime = [toBase64Url(await made(ina)), toBase64Url(await make(ina))]
    const refused = await publish(ina, { oneTime })
    expect([refused.status, refused.body.name]).toEqual([422, 'invalid_key_package'])
    expect(await available(ina)).toBe(before)
  })
})

test('a device hears when a claim leaves it with fewer than thirty packages', async () => {
  const database = await openTestDatabase()
  const [account, device] = [newAccountId(), newDeviceId()]
  await database.write(async (tx) => {
    await tx
      .insertInto('account')
      .values({ id: account, handle: 'a', handle_folded: 'a', handle_skeleton: 'a', shares_presence: 0, created_at: 0 })
      .execute()
    await tx
      .insertInto('device')
      .values({ id: device, account, signature_key: new Uint8Array(1), added_at: 0, removed_at: null })
      .execute()
  })
  const certificateOf = () => Promise.resolve(undefined)
  const bus = createInProcessBus(() => undefined)
  const bells = createBells({ database, bus, clock: systemClock, random: systemRandom, several: false })
  const keys = createKeys({ database, bells, limits: createLimits({ factor: 1000 }), clock: systemClock, certificateOf })
  const heard: DeviceId[] = []
  bus.listen('keys_low', ({ device: low }) => void heard.push(low))
  const oneTime = Array.from({ length: 31 }, () => ({ bytes: systemRandom.bytes(10), hash: systemRandom.bytes(32) }))
  await database.write((tx) => keys.add(tx, { account, device, packages: { oneTime, lastResort: undefined } }))
  const caller = {
    kind: 'device',
    address: '',
    account: newAccountId(),
    session: SessionId.parse(systemRandom.id()),
    device: newDeviceId(),
  } as const
  const claimOne = () =>
    keys.handlers(() => Promise.resolve(false)).claim({ params: undefined, query: undefined, body: { account, devices: [device] }, caller })
  await claimOne()
  expect(heard).toEqual([])
  await claimOne()
  expect(heard).toEqual([device])
  expect(await keys.available(device)).toBe(29)
  await database.close()
})

test('M-26: nobody takes more than a few packages of somebody else; of the own other devices as many as there are conversations', async () => {
  const strict = await openTown({ limitsFactor: 1 })
  try {
    const [owner, attacker, friend] = [
      await member(strict, 'owner26'),
      await member(strict, 'attacker26'),
      await member(strict, 'friend26'),
    ]
    const laptop = await secondDevice(strict, owner.person)
    const ask = async (by: Member, of: Member, devices: readonly string[]) =>
      (await strict.request('/v1/key-packages/claim', { token: by.token, body: { account: of.person.account, devices } })).status
    const answers: number[] = []
    for (let count = 0; count < 12; count++) answers.push(await ask(attacker, owner, [owner.device]))
    expect(answers.filter((status) => status === 200)).toHaveLength(6)
    expect(answers.slice(6)).toEqual(Array(6).fill(429))
    expect(await ask(friend, owner, [owner.device])).toBe(200)
    for (let count = 0; count < 12; count++) expect(await ask(owner, owner, [laptop.device])).toBe(200)
  } finally {
    await strict.close()
  }
})

test('M-26: strangers take ten in a day, however slowly; whoever shares a conversation is not counted by the day', async () => {
  const database = await openTestDatabase()
  const bus = createInProcessBus(() => undefined)
  const bells = createBells({ database, bus, clock: systemClock, random: systemRandom, several: false })
  const spent = new Map<string, number>()
  const limits = {
    spend: async (budget: string, key: string) => void spent.set(`${budget} ${key}`, (spent.get(`${budget} ${key}`) ?? 0) + 1),
  }
  const friend = newAccountId()
  const sharesConversation = async (_account: AccountId, other: AccountId) => other === friend
  const certificateOf = () => Promise.resolve(undefined)
  const keys = createKeys({ database, bells, limits, clock: systemClock, certificateOf })
  const [account, device, target] = [newAccountId(), newDeviceId(), newAccountId()]
  const caller = { kind: 'device', address: '', account, session: SessionId.parse(systemRandom.id()), device } as const
  for (const asked of [target, target, account, friend])
    await keys
      .handlers(sharesConversation)
      .claim({ params: undefined, query: undefined, body: { account: asked, devices: [device] }, caller })
  const [counted, daily, known] = [`claim ${account} ${target}`, `claim_day ${account} ${target}`, `claim ${account} ${friend}`]
  expect([...spent]).toEqual([
    [counted, 2],
    [daily, 2],
    [known, 1],
  ])
  expect(budgets.claim_day).toMatchObject({ points: 10, seconds: 86_400 })
  await database.close()
})
