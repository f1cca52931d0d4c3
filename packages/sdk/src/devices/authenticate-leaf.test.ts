import { Certificates } from '@tacit/contract'
import { beforeEach, describe, expect, test } from 'vitest'
import { authenticateLeaf, LeafCheck, type LeafPath } from './authenticate-leaf.ts'
import { CastMember, CastPeople, type CastDevice } from './cast.test-support.ts'
import { Unreachable } from '../trouble.ts'

const NOW = 1_800_000_000
const PATHS: readonly LeafPath[] = ['invited', 'live', 'past', 'tree']

let alice: CastMember
let phone: CastDevice
let people: CastPeople
const ask = (leaf: Pick<CastDevice, 'credential' | 'signatureKey'>, path: LeafPath, now = NOW) =>
  authenticateLeaf({ certificates: new Certificates(), people, clock: { now: () => now * 1000 } }, { ...leaf, path })

beforeEach(async () => {
  alice = await CastMember.make()
  phone = await alice.device()
  people = new CastPeople()
  people.pinned.set(alice.account, await alice.known())
  people.onServer.set(alice.account, await alice.known())
})

describe.each(PATHS)('on the path %s', (path) => {
  test('a listed device of a pinned person is accepted', async () => {
    expect(await ask(phone, path)).toBe(true)
  })

  test('a leaf with another signature key than its certificate is refused', async () => {
    const other = await alice.device()
    expect(await ask({ credential: phone.credential, signatureKey: other.signatureKey }, path)).toBe(false)
  })

  test('a certificate by another account key is refused, and told', async () => {
    const impostor = await CastMember.make(alice.account)
    expect(await ask(await impostor.device(), path)).toBe(false)
    expect(people.conflicts).toEqual([alice.account])
  })

  test('bytes that are no certificate, and one with a changed signature, are refused', async () => {
    expect(await ask({ ...phone, credential: new Uint8Array(190) }, path)).toBe(false)
    const changed = phone.credential.map((byte, at) => (at === phone.credential.length - 1 ? byte ^ 1 : byte))
    expect(await ask({ ...phone, credential: changed }, path)).toBe(false)
  })

  test('a device of somebody unknown is judged by the list the server has, and that person pinned', async () => {
    people.pinned.clear()
    expect(await ask(phone, path)).toBe(true)
    expect(people.pinned.get(alice.account)?.pin.accountKey).toEqual(alice.key.publicKey)
  })
})

test('a certificate that has ended is refused wherever a leaf could still be kept out', async () => {
  const old = await alice.device({ notAfter: NOW - 3600 })
  for (const path of ['invited', 'live', 'tree'] as const) expect(await ask(old, path)).toBe(false)
  expect(await ask(old, 'past')).toBe(true)
})

test('a new device is found by asking for the newest list, once', async () => {
  const tablet = await alice.device()
  people.onServer.set(alice.account, await alice.known())
  expect(await ask(tablet, 'live')).toBe(true)
  expect(people.asked).toBe(1)
})

test('a device that its owner withdrew does not come in, but stays readable where it was', async () => {
  const lost = await alice.device()
  await alice.withdraw(lost)
  people.onServer.set(alice.account, await alice.known())
  expect(await ask(lost, 'invited')).toBe(false)
  expect(await ask(lost, 'live')).toBe(false)
  expect(await ask(lost, 'past')).toBe(true)
  expect(await ask(lost, 'tree')).toBe(true)
})

test('a device that was never on a list does not come in', async () => {
  expect(await ask(await alice.device({ listed: false }), 'live')).toBe(false)
})

test('when the server cannot be asked, nothing was judged', async () => {
  people.pinned.clear()
  people.refresh = async () => Promise.reject(new Unreachable('cut'))
  const authority = { certificates: new Certificates(), people, clock: { now: () => NOW * 1000 } }
  const check = new LeafCheck(authority, { path: 'live' })
  expect(await check.authenticate(phone)).toBe(false)
  expect(() => check.mustHaveJudged()).toThrow(Unreachable)
})

test('a leaf that is in the group already is judged as such', async () => {
  const lost = await alice.device()
  await alice.withdraw(lost)
  people.onServer.set(alice.account, await alice.known())
  const authority = { certificates: new Certificates(), people, clock: { now: () => NOW * 1000 } }
  const members = [{ leafIndex: 3, ...lost }]
  expect(await new LeafCheck(authority, { path: 'live', members }).authenticate(lost)).toBe(true)
})
