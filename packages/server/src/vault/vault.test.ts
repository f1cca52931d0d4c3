import { toBase64Url } from '@tacit/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { member, openTown, Person, type Town } from '../cast.test-support.ts'
import { systemRandom } from '../random.ts'

let town: Town
beforeAll(async () => {
  town = await openTown()
})
afterAll(() => town.close())

interface Part {
  part: string
  version: number
  bytes: string
}

interface VaultAnswer {
  generation: number
  parts: Part[]
  unlocks: { id: string; kind: string; wrappedKey: string }[]
}

const some = (length = 80) => toBase64Url(systemRandom.bytes(length))
const fetchVault = async (token: string) => (await town.request<VaultAnswer>('/v1/vault', { token })).body
const replace = (token: string, { part = 'keys', generation = 1, version = 2, bytes = some() }) =>
  town.request(`/v1/vault/parts/${part}`, { method: 'PUT', token, body: { generation, version, bytes } })
const rotate = (token: string, body: VaultAnswer) => town.request('/v1/vault/rotations', { method: 'POST', token, body })

/** The vault of now as it is after one rotation, with nothing left out. */
const rotated = ({ generation, parts, unlocks }: VaultAnswer): VaultAnswer => ({
  generation: generation + 1,
  parts: parts.filter(({ version }) => version > 0).map(({ part, version }) => ({ part, version: version + 1, bytes: some() })),
  unlocks: unlocks.map(({ id, kind }) => ({ id, kind, wrappedKey: some() })),
})

test('Alice gets her vault and its wrapped key as she left them, from a session without a device', async () => {
  const alice = await Person.called('alice')
  const body = await alice.signUpBody(town)
  await town.request('/v1/accounts', { body })
  const { body: session } = await alice.signIn(town)
  const empty = (part: string) => ({ part, version: 0, bytes: '' })
  expect(await fetchVault(session.accessToken)).toEqual({
    generation: 1,
    parts: [{ part: 'keys', version: 1, bytes: body.vault }, empty('people'), empty('places'), empty('settings')],
    unlocks: [body.unlock],
  })
  const refused = await replace(session.accessToken, {})
  expect([refused.status, refused.body.name]).toEqual([403, 'device_needed'])
})

test('of two changes of one version the second is told what is current, and overwrites nothing', async () => {
  const bob = await member(town, 'bob')
  const answers = await Promise.all([replace(bob.token, {}), replace(bob.token, {})])
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]))
  expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ name: 'version_conflict', details: { version: 2 } })
  expect((await replace(bob.token, { version: 4 })).status).toBe(409)
  expect((await replace(bob.token, { version: 3, generation: 2 })).status).toBe(409)
  expect((await replace(bob.token, { part: 'places', version: 1 })).status).toBe(200)
  const { parts } = await fetchVault(bob.token)
  expect(parts.map(({ part, version }) => [part, version])).toEqual([
    ['keys', 2],
    ['people', 0],
    ['places', 1],
    ['settings', 0],
  ])
  expect((await town.request<Part>('/v1/vault/parts/places', { token: bob.token })).body).toMatchObject({ version: 1, generation: 1 })
})

test('a part over its size is refused and the old one stays', async () => {
  const carol = await member(town, 'carol')
  expect((await replace(carol.token, { bytes: toBase64Url(new Uint8Array(256 * 1024)) })).status).toBe(200)
  expect((await replace(carol.token, { version: 3, bytes: toBase64Url(new Uint8Array(256 * 1024 + 1)) })).status).toBe(400)
  expect((await fetchVault(carol.token)).parts[0]?.version).toBe(2)
})

test('a new vault key comes with all parts and all wrapped keys, or not at all', async () => {
  const dave = await member(town, 'dave')
  await replace(dave.token, { part: 'people', version: 1 })
  const before = await fetchVault(dave.token)
  const next = rotated(before)
  const broken: VaultAnswer[] = [
    { ...next, parts: next.parts.slice(1) },
    { ...next, parts: [...next.parts.slice(1), ...next.parts.slice(1)] },
    { ...next, parts: next.parts.map((part) => ({ ...part, version: part.version + 1 })) },
    { ...next, unlocks: next.unlocks.map((unlock) => ({ ...unlock, id: systemRandom.id() })) },
    { ...next, unlocks: next.unlocks.map((unlock) => ({ ...unlock, kind: 'device' })) },
    { ...next, generation: 3 },
  ]
  for (const body of broken) expect((await rotate(dave.token, body)).body).toMatchObject({ name: 'version_conflict' })
  expect(await fetchVault(dave.token)).toEqual(before)

  const device = { id: dave.device, kind: 'device', wrappedKey: some() }
  expect((await rotate(dave.token, { ...next, unlocks: [...next.unlocks, device] })).status).toBe(200)
  const after = await fetchVault(dave.token)
  expect(after.generation).toBe(2)
  expect(after.unlocks.toSorted((a, b) => a.kind.localeCompare(b.kind))).toEqual([device, ...next.unlocks])
  expect(after.parts.find(({ part }) => part === 'people')).toEqual(next.parts.find(({ part }) => part === 'people'))
  expect((await replace(dave.token, { version: 3 })).status).toBe(409)
  expect((await replace(dave.token, { version: 3, generation: 2 })).status).toBe(200)
})
