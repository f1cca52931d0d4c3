import { toBase64Url, type Problem } from '@tacit/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { member, openTown, type Member, type Town } from '../cast.test-support.ts'
import { systemRandom } from '../random.ts'

let town: Town
beforeAll(async () => {
  town = await openTown({ archiveMib: 1 })
})
afterAll(() => town.close())

const sealed = (size = 60): string => toBase64Url(systemRandom.bytes(size))

interface Change {
  readonly version: number
  readonly head?: string
  readonly put?: readonly { readonly number: number; readonly bytes: string }[]
  readonly drop?: readonly number[]
  readonly clear?: boolean
}

const write = (who: Member, { version, head = sealed(), put = [], drop = [], clear = false }: Change) =>
  town.request<{ version: number; used: number } & Problem>('/v1/archive', {
    method: 'PUT',
    token: who.token,
    body: { version, head, put, drop, clear },
  })
const headOf = async (who: Member) =>
  (await town.request<{ version: number; bytes: string; used: number; quota: number }>('/v1/archive', { token: who.token })).body
const segmentOf = (who: Member, number: number) =>
  town.request<{ version: number; bytes: string } & Problem>(`/v1/archive/segments/${number}`, { token: who.token })

test('an archive begins empty, and takes a head and its segments in one step', async () => {
  const alice = await member(town, 'alice')
  expect(await headOf(alice)).toEqual({ version: 0, bytes: '', used: 0, quota: 1024 * 1024 })
  const [head, first, second] = [sealed(), sealed(100), sealed(50)]
  const { body } = await write(alice, {
    version: 1,
    head,
    put: [
      { number: 1, bytes: first },
      { number: 2, bytes: second },
    ],
  })
  expect(body).toEqual({ version: 1, used: 150 })
  expect(await headOf(alice)).toMatchObject({ version: 1, bytes: head, used: 150 })
  expect((await segmentOf(alice, 2)).body).toEqual({ version: 1, bytes: second })
})

test('of two writers of the same version the second is told, and nothing of it is there', async () => {
  const bob = await member(town, 'bob')
  const answers = await Promise.all([1, 2].map((number) => write(bob, { version: 1, put: [{ number, bytes: sealed() }] })))
  expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 409])
  expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ name: 'version_conflict', details: { version: 1 } })
  const found = await Promise.all([1, 2].map((number) => segmentOf(bob, number)))
  expect(found.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 404])
  expect((await write(bob, { version: 3 })).status).toBe(409)
  expect((await write(bob, { version: 1 })).status).toBe(409)
  expect((await headOf(bob)).version).toBe(1)
})

test('a segment is replaced or dropped only together with the head that says so', async () => {
  const carol = await member(town, 'carol')
  const before = sealed(100)
  await write(carol, { version: 1, put: [{ number: 1, bytes: before }] })
  expect((await write(carol, { version: 1, put: [{ number: 1, bytes: sealed() }], drop: [1] })).status).toBe(409)
  expect((await segmentOf(carol, 1)).body.bytes).toBe(before)
  const after = sealed(70)
  expect((await write(carol, { version: 2, put: [{ number: 1, bytes: after }] })).body.used).toBe(70)
  expect((await segmentOf(carol, 1)).body).toEqual({ version: 2, bytes: after })
  expect((await write(carol, { version: 3, drop: [1] })).body.used).toBe(0)
  expect((await segmentOf(carol, 1)).body.name).toBe('not_found')
})

test('a full archive takes no more, loses nothing, and can be made smaller', async () => {
  const dan = await member(town, 'dan')
  const large = () => sealed(250 * 1024)
  for (let version = 1; version <= 4; version++) await write(dan, { version, put: [{ number: version, bytes: large() }] })
  const refused = await write(dan, { version: 5, put: [{ number: 5, bytes: large() }] })
  expect([refused.status, refused.body.name]).toEqual([409, 'archive_full'])
  expect(await headOf(dan)).toMatchObject({ version: 4, used: 4 * 250 * 1024 })
  expect((await segmentOf(dan, 5)).status).toBe(404)
  expect((await write(dan, { version: 5, drop: [1, 2] })).status).toBe(200)
  expect((await write(dan, { version: 6, put: [{ number: 5, bytes: large() }] })).status).toBe(200)
})

test('clearing leaves nothing of before, known or not', async () => {
  const frank = await member(town, 'frank')
  await write(frank, {
    version: 1,
    put: [1, 7].map((number) => ({ number, bytes: sealed() })),
  })
  expect((await write(frank, { version: 2, clear: true, put: [{ number: 9, bytes: sealed(60) }] })).body.used).toBe(60)
  const left = await Promise.all([1, 7, 9].map((number) => segmentOf(frank, number)))
  expect(left.map(({ status }) => status)).toEqual([404, 404, 200])
})

test('a segment that is too large is refused before it is looked at', async () => {
  const erin = await member(town, 'erin')
  expect((await write(erin, { version: 1, put: [{ number: 1, bytes: sealed(256 * 1024 + 1) }] })).body.name).toBe('malformed')
})
