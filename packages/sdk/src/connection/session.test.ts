import { expect, test } from 'vitest'
import { routes } from '@tacit/contract'
import { HandClock } from '../hand-clock.test-support.ts'
import type { Network } from '../surroundings.ts'
import { Unreachable } from '../trouble.ts'
import { Session, type StoredTokens } from './session.ts'

const id = 'AAAAAAAAAAAAAAAAAAAAAA'
const token = (letter: string): string => letter.repeat(43)

/** A server that renews every refresh token it gave last, once. */
class Renewer {
  renewals = 0
  calls: string[] = []
  broken = false
  ended = false
  #good = token('a')
  #refresh = token('r')

  /** The access token that is good now ends. */
  expire(): void {
    this.#good = token('-')
  }

  readonly fetch: Network['fetch'] = async (url, init) => {
    if (this.broken) throw new TypeError('no network')
    if (url.endsWith('/renew')) return this.#renew(typeof init.body === 'string' ? init.body : '')
    const given = new Headers(init.headers).get('authorization') ?? ''
    this.calls.push(given)
    return given === `Bearer ${this.#good}` ? answer(200, { available: 7 }) : problem(401, 'unauthenticated')
  }

  #renew(body: string): Response {
    this.renewals += 1
    if (this.ended || !body.includes(this.#refresh)) return problem(401, 'session_ended')
    this.#good = token(String.fromCharCode(98 + this.renewals))
    this.#refresh = token(String.fromCharCode(66 + this.renewals))
    const ids = { session: id, account: id, device: id }
    return answer(200, { ...ids, accessToken: this.#good, accessExpiresIn: 900, refreshToken: this.#refresh, refreshExpiresIn: 9000 })
  }
}

const answer = (status: number, body: unknown): Response => new Response(JSON.stringify(body), { status })
const problem = (status: number, name: string): Response =>
  answer(status, { type: 'x', title: 'x', status, name, next: 'x', requestId: 'x' })

function open({ fetch }: Pick<Renewer, 'fetch'>) {
  const clock = new HandClock()
  const saved: StoredTokens[] = []
  let ended = 0
  const network: Network = {
    fetch,
    openSocket: () => ({ send() {}, close() {} }),
    isOnline: () => true,
    onHint: () => () => {},
  }
  const session = new Session({
    server: { url: 'http://server', network },
    clock,
    tokens: { accessToken: token('a'), accessUntil: clock.now() + 900_000, refreshToken: token('r') },
    save: async (tokens) => void saved.push(tokens),
    ended: () => (ended += 1),
  })
  return { clock, saved, session, ended: () => ended }
}

test('a token is used while it is good and renewed before it ends', async () => {
  const renewer = new Renewer()
  const { clock, saved, session } = open(renewer)
  expect(await session.call(routes.keys.count, {})).toEqual({ available: 7 })
  expect(renewer.renewals).toBe(0)
  await clock.pass(850_000)
  expect(await session.call(routes.keys.count, {})).toEqual({ available: 7 })
  expect(renewer.renewals).toBe(1)
  expect(saved).toHaveLength(1)
})

test('many who find the token ended at once renew it once', async () => {
  const renewer = new Renewer()
  const { session } = open(renewer)
  renewer.expire()
  const all = await Promise.all(Array.from({ length: 20 }, () => session.call(routes.keys.count, {})))
  expect(all).toHaveLength(20)
  expect(renewer.renewals).toBe(1)
})

test('the new pair is stored before it is used', async () => {
  const renewer = new Renewer()
  const { session, saved } = open(renewer)
  renewer.expire()
  await session.call(routes.keys.count, {})
  expect(renewer.calls.at(-1)).toBe(`Bearer ${saved[0]?.accessToken}`)
})

test('a session that the server ended is told once, and calls nobody any more', async () => {
  const renewer = new Renewer()
  const { session, ended } = open(renewer)
  renewer.expire()
  renewer.ended = true
  for (let i = 0; i < 3; i++) await expect(session.call(routes.keys.count, {})).rejects.toMatchObject({ failure: 'session_ended' })
  expect(ended()).toBe(1)
  expect(renewer.calls).toHaveLength(1)
})

test('bad weather ends no session', async () => {
  const renewer = new Renewer()
  const { session, ended } = open(renewer)
  renewer.broken = true
  await expect(session.call(routes.keys.count, {})).rejects.toBeInstanceOf(Unreachable)
  renewer.broken = false
  expect(await session.call(routes.keys.count, {})).toEqual({ available: 7 })
  expect(ended()).toBe(0)
})

test('an answer that is not of the contract is no answer', async () => {
  const { session } = open({ fetch: async () => answer(200, { available: 'many' }) })
  await expect(session.call(routes.keys.count, {})).rejects.toBeInstanceOf(Unreachable)
})
