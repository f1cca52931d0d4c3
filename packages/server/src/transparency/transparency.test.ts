import {
  Auditor,
  fromBase64Url,
  judgeProof,
  labelOf,
  readDeviceList,
  readHead,
  readProof,
  toBase64Url,
  type Problem,
} from '@tacit/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { member, openTown, secondDevice, type Member, type Town } from '../cast.test-support.ts'

let town: Town
let alice: Member
let bob: Member
beforeAll(async () => {
  town = await openTown()
  alice = await member(town, 'alice')
  bob = await member(town, 'bob')
})
afterAll(() => town.close())

const bytesOf = (text: string): Uint8Array => fromBase64Url(text) ?? new Uint8Array()

async function headNow() {
  const { body } = await town.request<{ head: string }>('/v1/transparency/head')
  const head = await readHead(bytesOf(body.head))
  if (!head) throw new Error('the head is not signed')
  return head
}

async function proofOf(owner: Member, after = 0) {
  const path = `/v1/transparency/places/${toBase64Url(labelOf(owner.person.account))}?after=${after}`
  const { body } = await town.request<{ proof: string }>(path, { token: bob.token })
  const proof = readProof(bytesOf(body.proof))
  if (!proof) throw new Error('no proof')
  return proof
}

async function placedOf({ person }: Member) {
  const list = await readDeviceList(person.list)
  if (!list) throw new Error('no list')
  return { label: labelOf(person.account), version: list.version, list: list.hash }
}

test('signing up logs the first list, and its proof needs nothing but the log', async () => {
  const verdict = await judgeProof({ proof: await proofOf(alice), placed: await placedOf(alice), known: undefined })
  expect(verdict.kind).toBe('proved')
})

test('every change of a list is logged, and continues the log that was known before', async () => {
  const known = await headNow()
  const before = await placedOf(alice)
  await secondDevice(town, alice.person)
  const proof = await proofOf(alice, known.size)
  expect(await judgeProof({ proof, placed: await placedOf(alice), known })).toMatchObject({
    kind: 'proved',
    head: { size: known.size + 1 },
  })
  expect((await judgeProof({ proof, placed: before, known })).kind).toBe('not_logged')
})

test('a refused list is not logged', async () => {
  const { size } = await headNow()
  const refused = await town.request('/v1/device-list', { method: 'PUT', token: alice.token, body: { deviceList: 'AAAA' } })
  expect(refused.status).toBe(422)
  expect((await headNow()).size).toBe(size)
})

test('anybody verifies the whole log, and finds the head on it', async () => {
  for (let n = 0; n < 12; n++) await member(town, `auditee${n}`)
  const auditor = new Auditor()
  for (;;) {
    const { body } = await town.request<{ entries: string[]; head: string }>(`/v1/transparency/entries?from=${auditor.size}&limit=5`)
    if (body.entries.length === 0) break
    for (const entry of body.entries) expect(auditor.add(bytesOf(entry))).toBeUndefined()
  }
  const { size, root } = await headNow()
  expect(auditor.state).toEqual({ size, root })
})

test('between any two sizes it is proved that one log begins with the other', async () => {
  const { size } = await headNow()
  const { body } = await town.request<{ path: string[] }>(`/v1/transparency/consistency?earlier=1&later=${size}`)
  expect(body.path.length).toBeGreaterThan(0)
  for (const query of [`earlier=${size}&later=1`, `earlier=1&later=${size + 1}`]) {
    const refused = await town.request<Problem>(`/v1/transparency/consistency?${query}`)
    expect([refused.status, refused.body.name]).toEqual([404, 'not_found'])
  }
})

describe('a judge of proofs', () => {
  test('tells a log that was rewritten from one that grew', async () => {
    const known = await headNow()
    const proof = await proofOf(alice, known.size)
    const placed = await placedOf(alice)
    const other = { ...known, root: known.root.with(0, (known.root[0] ?? 0) ^ 1) }
    expect((await judgeProof({ proof, placed, known: other })).kind).toBe('rewritten')
    expect((await judgeProof({ proof, placed, known: { ...known, size: known.size + 1 } })).kind).toBe('rewritten')
    expect((await judgeProof({ proof, placed, known: { ...known, key: known.key.with(0, (known.key[0] ?? 0) ^ 1) } })).kind).toBe(
      'other_log',
    )
  })

  test('takes no proof whose parts were changed', async () => {
    const proof = await proofOf(alice)
    const placed = await placedOf(alice)
    const flipped = (bytes: Uint8Array) => bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1)
    const judged = async (changed: Partial<typeof proof>) =>
      (await judgeProof({ proof: { ...proof, ...changed }, placed, known: undefined })).kind
    expect(await judged({ head: flipped(proof.head) })).toBe('unproved')
    expect(await judged({ entry: flipped(proof.entry) })).toBe('unproved')
    expect(await judged({ entryPath: proof.entryPath.map(flipped) })).toBe('unproved')
    expect(await judged({ entryPath: [] })).toBe('unproved')
    expect(await judged({ mapPath: proof.mapPath.map(flipped) })).toBe('not_logged')
  })
})

test('the log holds no account id and no handle', async () => {
  const { body } = await town.request<{ entries: string[] }>('/v1/transparency/entries')
  const all = body.entries.map((entry) => new TextDecoder('latin1').decode(bytesOf(entry))).join('')
  expect(all).not.toContain(alice.person.account)
  expect(all.toLowerCase()).not.toContain('alice')
  expect(all).toContain(new TextDecoder('latin1').decode(labelOf(alice.person.account)))
})
