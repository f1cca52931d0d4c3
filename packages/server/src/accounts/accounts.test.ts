import { fromBase64Url, toBase64Url, type Problem } from '@tacit/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { member, openTown, Person, type Town } from '../cast.test-support.ts'
import { newDeviceId, newKeys } from '../identity.test-support.ts'
import { systemRandom } from '../random.ts'

let town: Town
beforeAll(async () => {
  town = await openTown()
})
afterAll(() => town.close())

test('Alice signs up once and is known by her handle, her key and her device list', async () => {
  const alice = await member(town, 'Alice')
  const me = await town.request<Record<string, unknown>>('/v1/me', { token: alice.token })
  expect(me.status).toBe(200)
  expect(me.body).toMatchObject({
    account: alice.person.account,
    handle: 'Alice',
    device: alice.device,
    accountKey: toBase64Url(alice.person.keys.publicKey),
    deviceList: toBase64Url(alice.person.list),
    sharesPresence: false,
  })
})

test('Bob finds Carol by her exact handle in any case, and sees it as she spells it', async () => {
  const bob = await member(town, 'bob')
  const carol = await member(town, 'Carol')
  const found = await town.request<Record<string, unknown>>('/v1/people/cAROL', { token: bob.token })
  expect(found.body).toEqual({
    account: carol.person.account,
    handle: 'Carol',
    accountKey: toBase64Url(carol.person.keys.publicKey),
    deviceList: toBase64Url(carol.person.list),
  })
  const nobody = await town.request('/v1/people/carole', { token: bob.token })
  expect([nobody.status, nobody.body.name]).toEqual([404, 'not_found'])
})

test('presence is shared only after its owner said so', async () => {
  const dora = await member(town, 'dora')
  const changed = await town.request('/v1/me', { method: 'PATCH', token: dora.token, body: { sharesPresence: true } })
  expect(changed.body).toEqual({ sharesPresence: true })
  expect((await town.request<{ sharesPresence: boolean }>('/v1/me', { token: dora.token })).body.sharesPresence).toBe(true)
})

describe('a handle', () => {
  const start = (handle: string) =>
    town.request('/v1/accounts/password/start', {
      body: { account: systemRandom.id(), handle, registrationRequest: toBase64Url(systemRandom.bytes(32)) },
    })

  test.each(['', 'a', 'ab', 'a'.repeat(33), 'аlice', 'ali\u202Ece', 'ali\u200Bce', '1alice', 'a..b', 'a b', 'admin', 'Adm1n', 'root'])(
    'B-038 %j cannot be used',
    async (handle) => {
      const { status, body } = await start(handle)
      expect([status, body.name]).toEqual([400, 'handle_not_allowed'])
    },
  )

  test.each(['TWIN-Rnorris', 'twinmorris', 'tw1n.morr1s'])('%j looks like one that is taken', async (handle) => {
    if (handle.startsWith('TWIN')) await member(town, 'twin_morris')
    const { status, body } = await start(handle)
    expect([status, body.name]).toEqual([409, 'handle_taken'])
  })

  test('B-039 is given to one of two people who ask for it at the same moment', async () => {
    const [one, other] = await Promise.all([Person.called('eve-adams'), Person.called('Eve.Adams')])
    const bodies = await Promise.all([one.signUpBody(town), other.signUpBody(town)])
    const answers = await Promise.all(bodies.map((body) => town.request('/v1/accounts', { body })))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]))
  })
})

describe('a sign-up is refused whole', () => {
  const cases: readonly [string, number, string, (body: SignUpBody, person: Person) => Promise<unknown>][] = [
    [
      'when another key signed the device list',
      422,
      'invalid_device_list',
      async (body, person) => {
        person.version = 0
        const { sign } = await newKeys()
        return { ...body, enrolment: { ...body.enrolment, deviceList: await person.nextList(sign) } }
      },
    ],
    [
      'when the list is of another account key',
      422,
      'invalid_device_list',
      async (body) => ({ ...body, accountKey: toBase64Url((await newKeys()).publicKey) }),
    ],
    [
      'when the list does not name the device',
      422,
      'invalid_device_list',
      async (body) => ({ ...body, enrolment: { ...body.enrolment, device: newDeviceId() } }),
    ],
    [
      'when a signature in the list was touched',
      422,
      'invalid_device_list',
      async (body) => ({ ...body, enrolment: { ...body.enrolment, deviceList: flipLastBit(body.enrolment.deviceList) } }),
    ],
    [
      'when the certificate has ended',
      422,
      'invalid_device_list',
      async (body, person) => {
        person.version = 0
        await person.certify(body.enrolment.device, { notAfter: 1 })
        return { ...body, enrolment: { ...body.enrolment, deviceList: await person.nextList() } }
      },
    ],
    [
      'when the password record is rubbish',
      400,
      'malformed',
      // No point of the group: of random bytes one in sixteen is one.
      async (body) => ({ ...body, method: { kind: 'password', registrationRecord: toBase64Url(new Uint8Array(192).fill(0xff)) } }),
    ],
    [
      'when the vault key is wrapped for another way to sign in',
      400,
      'malformed',
      async (body) => ({ ...body, unlock: { ...body.unlock, kind: 'passkey' } }),
    ],
    [
      'when one key package is given twice',
      422,
      'invalid_key_package',
      async (body, person) => {
        const [one = ''] = (await person.keyUpload(body.enrolment.device, { oneTime: 1 })).oneTime
        return { ...body, enrolment: { ...body.enrolment, keys: { oneTime: [one, one] } } }
      },
    ],
    [
      'when a key package is of another device',
      422,
      'invalid_key_package',
      async (body, person) => {
        const other = newDeviceId()
        await person.certify(other)
        return { ...body, enrolment: { ...body.enrolment, keys: await person.keyUpload(other, { oneTime: 1 }) } }
      },
    ],
  ]
  test.each(cases)('%s', async (_why, status, name, change) => {
    const person = await Person.called(`x${systemRandom.id().replaceAll(/[^a-z]/gi, 'q')}`)
    const body = await person.signUpBody(town)
    const refused = await town.request('/v1/accounts', { body: await change(body, person) })
    expect([refused.status, refused.body.name]).toEqual([status, name])
    person.version = 0
    const again = await town.request('/v1/accounts', {
      body: { ...body, enrolment: { ...body.enrolment, deviceList: body.enrolment.deviceList } },
    })
    expect(again.status).toBe(201)
  })

  test('when the account id or the device id exists already', async () => {
    const alice = await member(town, 'alice-first')
    const mallory = await Person.called('mallory')
    const body = await mallory.signUpBody(town, { device: alice.device })
    const taken = await town.request('/v1/accounts', { body })
    expect([taken.status, taken.body.name]).toEqual([409, 'already_exists'])
    const again = await town.request<Problem>('/v1/accounts', { body: await retryOf(alice.person) })
    expect([again.status, again.body.name]).toEqual([409, 'already_exists'])
  })

  async function retryOf(person: Person) {
    const twin = await Person.called('another-handle')
    const body = await twin.signUpBody(town)
    person.version = 0
    const device = newDeviceId()
    await person.certify(device)
    const deviceList = await onlyDevice(person, device)
    return {
      ...body,
      account: person.account,
      accountKey: toBase64Url(person.keys.publicKey),
      enrolment: { device, deviceList, keys: await person.keyUpload(device, { oneTime: 1 }) },
    }
  }
})

type SignUpBody = Awaited<ReturnType<Person['signUpBody']>>

async function onlyDevice(person: Person, device: ReturnType<typeof newDeviceId>): Promise<string> {
  for (const other of person.devices) if (other !== device) person.drop(other)
  return person.nextList()
}

function flipLastBit(text: string): string {
  const bytes = fromBase64Url(text) ?? new Uint8Array()
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  return toBase64Url(bytes)
}
