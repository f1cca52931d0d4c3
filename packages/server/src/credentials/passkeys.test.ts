import { client } from '@serenity-kit/opaque'
import { toBase64Url, type SessionTokens } from '@tacit/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { member, openTown, Person, type Town } from '../cast.test-support.ts'
import { newDeviceId } from '../identity.test-support.ts'
import { systemRandom } from '../random.ts'
import { statementsDuring } from '../storage/database.test-support.ts'
import { Authenticator, type Bending } from './authenticator.test-support.ts'

let town: Town
let origin: string
beforeAll(async () => {
  town = await openTown()
  origin = `http://localhost:${new URL(town.url).port}`
})
afterAll(() => town.close())

interface Started {
  challenge: string
  options: { challenge: string; rp?: { id: string }; rpId?: string; user?: { id: string; name: string } }
}

async function startSignUp(person: Person): Promise<Started> {
  const { account, handle } = person
  return (await town.request<Started>('/v1/accounts/passkey/start', { body: { account, handle } })).body
}

async function signUpBody(person: Person, { challenge }: Started, response: object) {
  const device = newDeviceId()
  await person.certify(device)
  return {
    account: person.account,
    handle: person.handle,
    accountKey: toBase64Url(person.keys.publicKey),
    method: { kind: 'passkey', challenge, response },
    enrolment: { device, deviceList: await person.nextList(), keys: await person.keyUpload(device, { oneTime: 1, lastResort: true }) },
    vault: toBase64Url(systemRandom.bytes(100)),
    unlock: { id: systemRandom.id(), kind: 'passkey', wrappedKey: toBase64Url(systemRandom.bytes(60)) },
  }
}

async function signUp(handle: string) {
  const person = await Person.called(handle)
  const authenticator = await Authenticator.at(origin)
  const started = await startSignUp(person)
  const body = await signUpBody(person, started, authenticator.create(started.options.challenge))
  const { status } = await town.request('/v1/accounts', { body })
  expect(status).toBe(201)
  return { person, authenticator }
}

const startSignIn = async () => (await town.request<Started>('/v1/sessions/passkey/start', { body: {} })).body
const finishSignIn = (challenge: string, response: object) =>
  town.request<SessionTokens & { name: string; details?: { field: string } }>('/v1/sessions/passkey/finish', {
    body: { challenge, response },
  })

test('Alice signs up with a passkey and signs in with it, without saying her handle', async () => {
  const { person, authenticator } = await signUp('alice')
  const { challenge, options } = await startSignIn()
  expect(options.rpId).toBe('localhost')
  const { status, body } = await finishSignIn(challenge, await authenticator.get(options.challenge))
  expect([status, body.account, body.device]).toEqual([201, person.account, null])
})

test('the options name the person, the server and a challenge of their own', async () => {
  const person = await Person.called('namely')
  const [one, other] = [await startSignUp(person), await startSignUp(person)]
  expect(one.options).toMatchObject({ rp: { id: 'localhost' }, user: { id: person.account, name: 'namely' } })
  expect(one.options.challenge).not.toBe(other.options.challenge)
})

test('M-28 a password sign-in asks the database the same for a password, for a passkey alone and for nobody', async () => {
  await Promise.all([member(town, 'with-password'), signUp('with-passkey')])
  const passwords = await askedFor('with-password')
  expect(passwords.status).toBe(200)
  expect(passwords.statements.length).toBeGreaterThan(3)
  expect(await askedFor('with-passkey')).toEqual(passwords)
  expect(await askedFor('without-account')).toEqual(passwords)
})

/** Every statement that runs while the first step of a sign-in is answered. */
async function askedFor(handle: string) {
  const { startLoginRequest } = client.startLogin({ password: 'wrong' })
  const { result, statements } = await statementsDuring(() =>
    town.request('/v1/sessions/password/start', { body: { handle, startLoginRequest } }),
  )
  return { status: result.status, statements }
}

describe('B-041 a sign-in is refused', () => {
  const bent: readonly [string, Bending][] = [
    ['from another origin', { origin: 'https://evil.example' }],
    ['for another host name', { rpId: 'evil.example' }],
    ['for another challenge', { challenge: toBase64Url(new Uint8Array(32)) }],
    ['without user verification', { userVerified: false }],
    ['with a counter that went back', { counter: 1 }],
  ]
  test.each(bent)('%s', async (_how, bending) => {
    const { authenticator } = await signUp(`bent${systemRandom.id().replaceAll(/[^a-z]/gi, 'x')}`)
    const first = await startSignIn()
    expect((await finishSignIn(first.challenge, await authenticator.get(first.options.challenge, { counter: 5 }))).status).toBe(201)
    const { challenge, options } = await startSignIn()
    const { status, body } = await finishSignIn(challenge, await authenticator.get(options.challenge, { counter: 6, ...bending }))
    expect([status, body.name]).toEqual([401, 'wrong_credentials'])
  })

  test('when the challenge was used before', async () => {
    const { authenticator } = await signUp('replay')
    const { challenge, options } = await startSignIn()
    const response = await authenticator.get(options.challenge)
    expect((await finishSignIn(challenge, response)).status).toBe(201)
    expect((await finishSignIn(challenge, response)).body.name).toBe('expired')
  })

  test('by a passkey that nobody registered, and by another key under a known id', async () => {
    const { authenticator } = await signUp('owner')
    const thief = Object.assign(await Authenticator.at(origin), { id: authenticator.id })
    for (const stranger of [await Authenticator.at(origin), thief]) {
      const { challenge, options } = await startSignIn()
      const { status, body } = await finishSignIn(challenge, await stranger.get(options.challenge))
      expect([status, body.name]).toEqual([401, 'wrong_credentials'])
    }
  })
})

test('a challenge of a sign-up serves nobody else, and no sign-in', async () => {
  const [bob, mallory] = [await Person.called('bob'), await Person.called('mallory')]
  const authenticator = await Authenticator.at(origin)
  const started = await startSignUp(bob)
  const stolen = await signUpBody(mallory, started, authenticator.create(started.options.challenge))
  expect((await town.request('/v1/accounts', { body: stolen })).body.name).toBe('wrong_credentials')
  const again = await startSignUp(bob)
  expect((await finishSignIn(again.challenge, await authenticator.get(again.options.challenge))).body.name).toBe('expired')
})

test('a passkey of one account cannot be registered for a second one', async () => {
  const { authenticator } = await signUp('first-owner')
  const second = await Person.called('second-owner')
  const started = await startSignUp(second)
  const body = await signUpBody(second, started, authenticator.create(started.options.challenge))
  expect((await town.request('/v1/accounts', { body })).body.name).toBe('wrong_credentials')
})

test('a response that carries the secret for the vault is refused, so that a careless client is noticed', async () => {
  const { authenticator } = await signUp('careless')
  const { challenge, options } = await startSignIn()
  const response = await authenticator.get(options.challenge)
  const leaking = { ...response, clientExtensionResults: { prf: { results: { first: toBase64Url(new Uint8Array(32)) } } } }
  const { status, body } = await finishSignIn(challenge, leaking)
  expect([status, body.details?.field]).toEqual([400, 'response.clientExtensionResults.prf.results'])
})

test.each([{}, { id: 'x' }, { id: 'x', rawId: 'x', type: 'public-key', response: {} }, { id: '\u0000', response: null }])(
  'a response of another shape is refused: %j',
  async (response) => {
    const { challenge } = await startSignIn()
    expect((await finishSignIn(challenge, response)).status).toBe(400)
  },
)

test('somebody with a passkey only answers a password like nobody', async () => {
  const { person } = await signUp('passkey-only')
  const [wrong, nobody] = [await person.signIn(town, 'guess'), await (await Person.called('nobody')).signIn(town, 'guess')]
  expect([wrong.status, wrong.body.name]).toEqual([nobody.status, nobody.body.name])
  expect((await member(town, 'still-works')).device).toBeDefined()
})

test('M-29: a passkey proves anew who is there, and somebody else’s proves nothing', async () => {
  const { authenticator } = await signUp('prover')
  const { authenticator: others } = await signUp('other')
  const signedIn = await startSignIn()
  const { body: tokens } = await finishSignIn(signedIn.challenge, await authenticator.get(signedIn.options.challenge))
  const token = tokens.accessToken
  const prove = async (by: Authenticator) => {
    const { body: started } = await town.request<Started>('/v1/sessions/current/proof/passkey/start', { token, body: {} })
    const response = await by.get(started.options.challenge)
    const body = { challenge: started.challenge, response }
    return town.request<{ provedFor: number; name: string }>('/v1/sessions/current/proof/passkey/finish', { token, body })
  }
  expect((await prove(others)).body.name).toBe('wrong_credentials')
  expect((await prove(authenticator)).body.provedFor).toBe(120)
  const { body } = await town.request<{ methods: string[] }>('/v1/sessions/current/proof', { token })
  expect(body.methods).toEqual(['passkey'])
})
