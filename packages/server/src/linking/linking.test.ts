import { client } from '@serenity-kit/opaque'
import { LinkCode, toBase64Url, type SessionTokens } from '@tacit/contract'
import { afterEach, expect, test } from 'vitest'
import { member, openTown, type Town } from '../cast.test-support.ts'
import { systemRandom } from '../random.ts'
import { openTestDatabase } from '../storage/database.test-support.ts'
import { Links } from './linking.ts'

const SECOND = 1000

function handClock() {
  let now = Date.now()
  return { now: () => now, advance: (ms: number) => void (now += ms) }
}

const towns: Town[] = []
afterEach(async () => {
  for (const town of towns.splice(0)) await town.close()
})

async function open(settings: Parameters<typeof openTown>[0] = {}) {
  const clock = handClock()
  const town = await openTown(settings, { clock })
  towns.push(town)
  return { town, clock }
}

const random = (length: number) => toBase64Url(systemRandom.bytes(length))
const nameOf = ({ body }: { body: { name: string } }) => body.name

/** A new device at the door. */
async function newcomer(town: Town) {
  const { body } = await town.request<{ code: string; ticket: string; expiresIn: number; name: string }>('/v1/links', {
    body: { commitment: random(32) },
  })
  const { code, ticket } = body
  const say = <T = { name: string; kind: string }>(verb: string, more = {}) =>
    town.request<T>(`/v1/links/${verb}`, { body: { ticket, ...more } })
  return { code, ticket, expiresIn: body.expiresIn, say, reveal: () => say('reveal', { key: random(1216), nonce: random(32) }) }
}

const claim = (town: Town, token: string, code: string) => town.request('/v1/links/claim', { token, body: { code } })
const offer = (town: Town, token: string, code: string) =>
  town.request(`/v1/links/${code}/offer`, { method: 'PUT', token, body: { key: random(32) } })
const approve = (town: Town, token: string, code: string, sealed = random(100)) =>
  town.request(`/v1/links/${code}/approval`, { method: 'PUT', token, body: { sealed } })
const show = (town: Town, token: string, code: string) => town.request<{ kind: string; name: string }>(`/v1/links/${code}`, { token })

/** Everything but the approval. */
async function compared(town: Town, token: string) {
  const device = await newcomer(town)
  await claim(town, token, device.code)
  await offer(town, token, device.code)
  await device.reveal()
  return device
}

test('a code is shown, claimed, and leads to one session of the account that approved, without a device', async () => {
  const { town } = await open()
  const alice = await member(town, 'alice')
  const device = await newcomer(town)
  expect(LinkCode.safeParse(device.code).success).toBe(true)
  expect(device.expiresIn).toBe(90)
  expect((await device.say('look')).body.kind).toBe('waiting')
  expect((await claim(town, alice.token, device.code)).status).toBe(200)
  await offer(town, alice.token, device.code)
  expect((await device.say('look')).body).toMatchObject({ kind: 'offered', handle: 'alice', account: alice.person.account })
  await device.reveal()
  expect((await show(town, alice.token, device.code)).body.kind).toBe('revealed')
  expect((await approve(town, alice.token, device.code)).status).toBe(204)
  expect((await device.say('look')).body.kind).toBe('approved')
  const { status, body } = await device.say<SessionTokens>('take')
  expect([status, body.account, body.device]).toEqual([201, alice.person.account, null])
  const sessions = await town.request<{ sessions: { method: string }[] }>('/v1/sessions', { token: body.accessToken })
  expect(sessions.body.sessions.map(({ method }) => method).toSorted()).toEqual(['link', 'password'])
  expect((await show(town, alice.token, device.code)).body.kind).toBe('taken')
})

test('M-29: a code is good once, whoever comes second', async () => {
  const { town } = await open()
  const [alice, mallory] = [await member(town, 'alice'), await member(town, 'mallory')]
  const device = await compared(town, alice.token)
  expect(nameOf(await claim(town, mallory.token, device.code))).toBe('link_used')
  expect(nameOf(await approve(town, mallory.token, device.code))).toBe('link_used')
  expect(nameOf(await offer(town, mallory.token, device.code))).toBe('link_used')
  expect(nameOf(await show(town, mallory.token, device.code))).toBe('link_used')
  await approve(town, alice.token, device.code)
  expect((await device.say('take')).status).toBe(201)
  expect(nameOf(await device.say('take'))).toBe('link_used')
  expect(nameOf(await claim(town, alice.token, device.code))).toBe('link_used')
})

test('M-29: of a hundred who take at once one gets the session', async () => {
  const { town } = await open()
  const alice = await member(town, 'alice')
  const device = await compared(town, alice.token)
  await approve(town, alice.token, device.code)
  const answers = await Promise.all(Array.from({ length: 100 }, () => device.say('take')))
  expect(answers.filter(({ status }) => status === 201).length).toBe(1)
})

test('M-29: a code that nobody brought in 90 seconds is over, and so is a link two minutes after it was brought', async () => {
  const { town, clock } = await open()
  const alice = await member(town, 'alice')
  const late = await newcomer(town)
  clock.advance(90 * SECOND - 1)
  const inTime = await claim(town, alice.token, late.code)
  expect(inTime.status).toBe(200)
  clock.advance(120 * SECOND)
  expect(nameOf(await offer(town, alice.token, late.code))).toBe('expired')
  const never = await newcomer(town)
  clock.advance(90 * SECOND)
  expect(nameOf(await claim(town, alice.token, never.code))).toBe('expired')
  expect(nameOf(await never.say('look'))).toBe('expired')
})

test('M-29: approving takes a proof that is not older than two minutes, of this session', async () => {
  const { town, clock } = await open()
  const { person, token } = await member(town, 'alice')
  clock.advance(120 * SECOND)
  const device = await compared(town, token)
  expect(nameOf(await approve(town, token, device.code))).toBe('proof_needed')
  expect((await device.say('take')).status).not.toBe(201)

  const { clientLoginState, startLoginRequest } = client.startLogin({ password: person.password })
  const started = await town.request<{ challenge: string; loginResponse: string }>('/v1/sessions/current/proof/password/start', {
    token,
    body: { startLoginRequest },
  })
  const { challenge, loginResponse } = started.body
  const keyStretching = { 'argon2id-custom': { iterations: 1, memory: 8, parallelism: 1 } }
  const finished = client.finishLogin({ clientLoginState, loginResponse, password: person.password, keyStretching })
  const body = { challenge, finishLoginRequest: finished?.finishLoginRequest }
  const proved = await town.request<{ provedFor: number }>('/v1/sessions/current/proof/password/finish', { token, body })
  expect([proved.status, proved.body.provedFor]).toEqual([200, 120])
  expect((await approve(town, token, device.code)).status).toBe(204)
})

test('a proof that one session began cannot be finished by another of the same account', async () => {
  const { town } = await open()
  const { person, token } = await member(town, 'alice')
  const { body: other } = await person.signIn(town)
  const { startLoginRequest } = client.startLogin({ password: person.password })
  const started = await town.request<{ challenge: string }>('/v1/sessions/current/proof/password/start', {
    token,
    body: { startLoginRequest },
  })
  const body = { challenge: started.body.challenge, finishLoginRequest: 'AAAA' }
  const stolen = await town.request('/v1/sessions/current/proof/password/finish', { token: other.accessToken, body })
  expect(nameOf(stolen)).toBe('expired')
})

test('whoever cancels, the other is told so, and nothing can be taken', async () => {
  const { town } = await open()
  const alice = await member(town, 'alice')
  const one = await compared(town, alice.token)
  await town.request(`/v1/links/${one.code}`, { method: 'DELETE', token: alice.token })
  expect([nameOf(await one.say('look')), nameOf(await one.say('take'))]).toEqual(['link_cancelled', 'link_cancelled'])
  const other = await compared(town, alice.token)
  await other.say('give-up')
  expect([nameOf(await show(town, alice.token, other.code)), nameOf(await approve(town, alice.token, other.code))]).toEqual([
    'link_cancelled',
    'link_cancelled',
  ])
})

test('a step out of its order, or said again with other content, is refused; a repeat is not', async () => {
  const { town } = await open()
  const alice = await member(town, 'alice')
  const device = await newcomer(town)
  expect(nameOf(await device.reveal())).toBe('link_used')
  expect(nameOf(await approve(town, alice.token, device.code))).toBe('not_found')
  await claim(town, alice.token, device.code)
  expect((await claim(town, alice.token, device.code)).status).toBe(200)
  await offer(town, alice.token, device.code)
  expect(nameOf(await offer(town, alice.token, device.code))).toBe('link_used')
  await device.reveal()
  expect(nameOf(await device.reveal())).toBe('link_used')
  const sealed = random(100)
  expect([
    (await approve(town, alice.token, device.code, sealed)).status,
    (await approve(town, alice.token, device.code, sealed)).status,
  ]).toEqual([204, 204])
  expect(nameOf(await approve(town, alice.token, device.code))).toBe('link_used')
})

test('M-29: guessing codes ends after ten tries in ten minutes', async () => {
  const { town } = await open({ limitsFactor: 1 })
  const alice = await member(town, 'alice')
  const answers: unknown[] = []
  for (let guess = 0; guess < 11; guess++) answers.push(nameOf(await claim(town, alice.token, `0000000${guess % 10}`)))
  expect(answers).toEqual([...Array.from({ length: 10 }, () => 'not_found'), 'rate_limited'])
})

test('what the server holds of a link is told to its account, and is gone ten minutes after its end', async () => {
  const { town } = await open()
  const alice = await member(town, 'alice')
  await compared(town, alice.token)
  const held = await town.request<{ tables: { table: string; rows: number }[] }>('/v1/me/held', { token: alice.token })
  expect(held.body.tables.find(({ table }) => table === 'link')?.rows).toBe(1)

  const clock = handClock()
  const database = await openTestDatabase()
  const never = { open: () => Promise.reject(new Error('nobody comes in')), mustBeProved: () => Promise.resolve() }
  const links = new Links({
    database,
    clock,
    random: systemRandom,
    sessions: never,
    events: { note: async () => undefined },
    log: () => undefined,
    handleOf: () => Promise.resolve(''),
  })
  const { ticket } = await links.begin(systemRandom.bytes(32))
  clock.advance(690 * SECOND - 1)
  await links.sweep()
  await expect(links.look(ticket)).rejects.toMatchObject({ failure: 'expired' })
  clock.advance(1)
  await links.sweep()
  await expect(links.look(ticket)).rejects.toMatchObject({ failure: 'not_found' })
  await database.close()
})
