import { afterEach, describe, expect, test } from 'vitest'
import { member, openTown, Person, secondDevice, type Town } from '../cast.test-support.ts'
import { newAccountId } from '../identity.test-support.ts'
import { openTestDatabase } from '../storage/database.test-support.ts'
import { SecurityEvents } from './security-events.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

interface Told {
  readonly events: readonly { position: number; kind: string; method: string | null; device: string | null; times: number; at: string }[]
}

const towns: Town[] = []
async function townWithClock() {
  let now = Date.now()
  const town = await openTown({}, { clock: { now: () => now } })
  towns.push(town)
  return { town, advance: (ms: number) => void (now += ms) }
}
afterEach(async () => {
  for (const town of towns.splice(0)) await town.close()
})

const eventsOf = async (town: Town, token: string, query = '') =>
  (await town.request<Told>(`/v1/security-events${query}`, { token })).body.events
const kinds = (events: Told['events']) => events.map(({ kind }) => kind)

describe('what happened to an account', () => {
  test('is told to its owner, newest first, with the device and the way', async () => {
    const { town } = await townWithClock()
    const alice = await member(town, 'alice')
    const second = await secondDevice(town, alice.person)
    const events = await eventsOf(town, second.tokens.accessToken)
    expect(kinds(events)).toEqual(['device_added', 'signed_in', 'account_made'])
    expect(events[0]).toMatchObject({ device: second.device, method: null, times: 1 })
    expect(events[1]).toMatchObject({ method: 'password', device: null })
  })

  test('is told to nobody else', async () => {
    const { town } = await townWithClock()
    const [alice, bob] = [await member(town, 'alice'), await member(town, 'bob')]
    await secondDevice(town, alice.person)
    expect(kinds(await eventsOf(town, bob.tokens.accessToken))).toEqual(['account_made'])
  })

  test('comes in pages', async () => {
    const { town } = await townWithClock()
    const alice = await member(town, 'alice')
    const { tokens } = await secondDevice(town, alice.person)
    const [newest] = await eventsOf(town, tokens.accessToken, '?limit=1')
    const rest = await eventsOf(town, tokens.accessToken, `?before=${newest?.position}&limit=200`)
    expect(kinds(rest)).toEqual(['signed_in', 'account_made'])
    expect((await town.request('/v1/security-events?limit=201', { token: tokens.accessToken })).status).toBe(400)
  })

  test('names sessions that were ended, by whom, and a stolen one', async () => {
    const { town, advance } = await townWithClock()
    const alice = await member(town, 'alice')
    const second = await secondDevice(town, alice.person)
    const { refreshToken } = second.tokens
    const renewed = await town.request<{ accessToken: string }>('/v1/sessions/renew', { body: { refreshToken } })
    await town.request('/v1/me', { token: renewed.body.accessToken })
    advance(11_000)
    await town.request('/v1/sessions/renew', { body: { refreshToken } })
    const events = await eventsOf(town, alice.tokens.accessToken)
    expect(events[0]).toMatchObject({ kind: 'session_stolen', device: second.device })
  })

  test('counts tries that failed within an hour as one line, and those on a handle that nobody has nowhere', async () => {
    const { town, advance } = await townWithClock()
    const { person, tokens } = await member(town, 'alice')
    const nobody = await Person.called('nobody')
    await nobody.signIn(town, 'wrong')
    for (let tries = 1; tries <= 3; tries++) {
      await person.signIn(town, 'wrong')
      await expect.poll(async () => (await eventsOf(town, tokens.accessToken))[0]).toMatchObject({ kind: 'sign_in_failed', times: tries })
    }
    advance(2 * HOUR)
    const later = await person.signIn(town)
    await person.signIn(town, 'wrong')
    const token = later.body.accessToken
    await expect
      .poll(async () => kinds(await eventsOf(town, token)))
      .toEqual(['sign_in_failed', 'signed_in', 'sign_in_failed', 'account_made'])
  })
})

describe('the log of an account', () => {
  test('keeps its newest 500, and nothing for longer than a year', async () => {
    let now = Date.now()
    const database = await openTestDatabase()
    const events = new SecurityEvents({ database, clock: { now: () => now }, log: () => undefined })
    const [alice, bob] = [newAccountId(), newAccountId()]
    await database.write((tx) => events.note(tx, { account: bob, kind: 'account_made' }))
    for (let n = 0; n < 510; n++) await database.write((tx) => events.note(tx, { account: alice, kind: 'signed_in', method: 'password' }))
    const count = async () =>
      database.kysely
        .selectFrom('security_event')
        .select(({ fn }) => fn.countAll().as('n'))
        .executeTakeFirst()
    expect(Number((await count())?.n)).toBe(501)
    now += 366 * DAY
    await events.sweep()
    expect(Number((await count())?.n)).toBe(0)
    await database.close()
  })
})
