/** Who may call what, for every route of the contract: the tests are generated from its table, so a new route is in them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { member, openTown, type Member, type Town } from '../cast.test-support.ts'
import { systemRandom } from '../random.ts'
import { namedRoutes } from './http-routes.ts'

let town: Town
let alice: Member
let withoutDevice: string
beforeAll(async () => {
  town = await openTown()
  alice = await member(town, 'alice')
  withoutDevice = (await alice.person.signIn(town)).body.accessToken
})
afterAll(() => town.close())

/** An address of the route for something that does not exist. */
const pathOf = (path: string) => path.replaceAll(/:[a-z]+/g, () => systemRandom.id())
const bodyFor = (method: string) => (method === 'GET' || method === 'DELETE' ? {} : { body: {} })

const guarded = namedRoutes.filter(({ spec }) => spec.access !== 'anyone').map(({ name, spec }) => [name, spec] as const)
const forDevices = guarded.filter(([, spec]) => spec.access === 'device')

test.each(guarded)('%s is closed to somebody who is not signed in', async (_name, { method, path }) => {
  for (const token of [undefined, 'A'.repeat(43)]) {
    const { status, body } = await town.request(pathOf(path), { method, ...(token && { token }), ...bodyFor(method) })
    expect([status, body.name]).toEqual([401, 'unauthenticated'])
  }
})

test.each(forDevices)('%s is closed to a session without a device', async (_name, { method, path }) => {
  const { status, body } = await town.request(pathOf(path), { method, token: withoutDevice, ...bodyFor(method) })
  expect([status, body.name]).toEqual([403, 'device_needed'])
})

describe('junk', () => {
  const junk: readonly unknown[] = [null, [], 'x', 1, true, { a: { b: [1, 2, 3] } }, { account: {}, handle: [], body: 'x'.repeat(5000) }]
  const taking = namedRoutes.filter(({ spec }) => spec.body).map(({ name, spec }) => [name, spec] as const)

  test.each(taking)('in the body of %s is refused as malformed, never a fault', async (_name, { method, path }) => {
    for (const body of junk) {
      const answer = await town.request(pathOf(path), { method, token: alice.token, body })
      expect([answer.status, answer.body.name]).toEqual([400, 'malformed'])
    }
  })

  test.each(namedRoutes.map(({ name, spec }) => [name, spec] as const))(
    'in the address of %s is never a fault',
    async (_name, { method, path }) => {
      for (const value of ['x', '%00', '%F0%9F%92%A9', '..', 'A'.repeat(200), "' OR 1=1 --", '-1']) {
        const address = path.replaceAll(/:[a-z]+/g, encodeURI(value))
        const answer = await town.request(`${address}?after=${encodeURIComponent(value)}`, {
          method,
          token: alice.token,
          ...bodyFor(method),
        })
        expect(answer.status).toBeGreaterThanOrEqual(400)
        expect(answer.status).toBeLessThan(500)
      }
    },
  )
})
