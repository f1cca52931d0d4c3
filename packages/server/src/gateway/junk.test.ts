/**
 * Junk for every route of the contract, generated from its table, so a new route is in it. Who may call what is the table in
 * packages/testbed/src/access.test.ts.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { member, openTown, type Member, type Town } from '../cast.test-support.ts'
import { systemRandom } from '../random.ts'
import { namedRoutes } from './http-routes.ts'

let town: Town
let alice: Member
beforeAll(async () => {
  town = await openTown()
  alice = await member(town, 'alice')
})
afterAll(() => town.close())

/** An address of the route for something that does not exist. */
const pathOf = (path: string) => path.replaceAll(/:[a-z]+/g, () => systemRandom.id())
const bodyFor = (method: string) => (method === 'GET' || method === 'DELETE' ? {} : { body: {} })

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
