import { toBase64Url } from '@tacit/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { member, openTown, Person, type Town } from '../cast.test-support.ts'
import { systemRandom } from '../random.ts'

let town: Town
beforeAll(async () => {
  town = await openTown()
})
afterAll(() => town.close())

interface VaultAnswer {
  version: number
  bytes: string
  unlocks: { kind: string; wrappedKey: string }[]
}

const fetchVault = (token: string) => town.request<VaultAnswer>('/v1/vault', { token })
const replace = (token: string, version: number, bytes = toBase64Url(systemRandom.bytes(80))) =>
  town.request('/v1/vault', { method: 'PUT', token, body: { version, bytes } })

test('Alice gets her vault and its wrapped key as she left them, from a session without a device', async () => {
  const alice = await Person.called('alice')
  const body = await alice.signUpBody(town)
  await town.request('/v1/accounts', { body })
  const { body: session } = await alice.signIn(town)
  expect((await fetchVault(session.accessToken)).body).toEqual({ version: 1, bytes: body.vault, unlocks: [body.unlock] })
  const refused = await replace(session.accessToken, 2)
  expect([refused.status, refused.body.name]).toEqual([403, 'device_needed'])
})

test('of two changes of one version the second is told what is current, and overwrites nothing', async () => {
  const bob = await member(town, 'bob')
  const answers = await Promise.all([replace(bob.token, 2), replace(bob.token, 2)])
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]))
  expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ name: 'version_conflict', details: { version: 2 } })
  expect((await fetchVault(bob.token)).body.version).toBe(2)
  expect((await replace(bob.token, 4)).status).toBe(409)
})

test('a vault over its size is refused and the old one stays', async () => {
  const carol = await member(town, 'carol')
  const before = (await fetchVault(carol.token)).body
  expect((await replace(carol.token, 2, toBase64Url(new Uint8Array(64 * 1024)))).status).toBe(200)
  expect((await replace(carol.token, 3, toBase64Url(new Uint8Array(64 * 1024 + 1)))).status).toBe(400)
  expect((await fetchVault(carol.token)).body.version).toBe(before.version + 1)
})
