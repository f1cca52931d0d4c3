import { expect, test } from 'vitest'
import { AccountId, DeviceId } from '@tacit/contract'
import { CastMember, CastPeople } from '../devices/cast.test-support.ts'
import { Certificates } from '../devices/certificates.ts'
import { openEngine } from '../engine.ts'
import { mintId } from '../sealing.ts'
import { platformRandom } from '../surroundings.ts'
import { groupInfoSigner } from './group-info-signer.ts'
import { isFairReturn, newcomersAreListed } from './judge-return.ts'
import type { RosterEntry } from './roster.ts'

const person = (): AccountId => mintId(platformRandom, AccountId)
const [alice, bob, carol, dave] = [person(), person(), person(), person()]

const entries = (...people: readonly AccountId[]) => ({
  led: (...admins: readonly AccountId[]): readonly RosterEntry[] =>
    people.map((account, leaf) => ({ account, device: mintId(platformRandom, DeviceId), leaf, admin: admins.includes(account) })),
})

/** Carol saw Alice lead Bob and herself. */
const before = entries(alice, bob, carol).led(alice)

const returns = (after: readonly RosterEntry[], voucher: AccountId | undefined): boolean =>
  isFairReturn({ before, after: { entries: after, accounts: [], policy: { kind: 'group', admins: [] } }, voucher })

test('a member may offer the group as it was, and with new people in it', () => {
  expect(returns(entries(alice, bob, carol).led(alice), bob)).toBe(true)
  expect(returns(entries(alice, bob, carol, dave).led(alice), bob)).toBe(true)
})

test('an admin may offer any group', () => {
  expect(returns(entries(alice, carol, dave).led(alice, dave), alice)).toBe(true)
})

test('a member who is no admin offers no group in which somebody is missing, or of another role', () => {
  expect(returns(entries(bob, carol).led(bob), bob)).toBe(false)
  expect(returns(entries(alice, bob, carol).led(alice, bob), bob)).toBe(false)
  expect(returns(entries(alice, bob, carol).led(), bob)).toBe(false)
  expect(returns(entries(alice, bob, carol, dave).led(alice, dave), bob)).toBe(false)
})

test('a stranger offers no group, nor does nobody', () => {
  expect(returns(entries(alice, bob, carol, dave).led(alice), dave)).toBe(false)
  expect(returns(before, undefined)).toBe(false)
})

test('the signer of a GroupInfo is read from it', async () => {
  const engine = await openEngine()
  const identity = async () => ({ credential: platformRandom.bytes(64), signature: await engine.generateSignaturePair() })
  const made = await engine.createGroup({ groupId: new Uint8Array(16), identity: await identity(), policy: new Uint8Array([1]) })
  expect(groupInfoSigner(made.groupInfo)).toBe(0)
  const joined = await engine.joinExternal({ groupInfo: made.groupInfo, identity: await identity(), authenticate: async () => true })
  expect(groupInfoSigner(joined.groupInfo)).toBe(1)
  for (const junk of [new Uint8Array(), new Uint8Array(100), made.groupInfo.slice(0, 40), new Uint8Array(1000).fill(255)])
    expect(groupInfoSigner(junk)).toBeUndefined()
})

test('a device that its owner has withdrawn does not come back while this one looked away', async () => {
  const owner = await CastMember.make()
  const phone = await owner.device()
  const listed = await owner.known()
  const withdrawn = await owner.device({ listed: false })
  const people = new CastPeople()
  people.pinned.set(owner.account, listed)
  people.onServer.set(owner.account, listed)
  const authority = { certificates: new Certificates(), people, clock: { now: () => 1_800_000_000_000 } }
  const there = { account: owner.account, device: phone.certificate.device, leaf: 0, admin: true }
  const members = [phone, withdrawn].map(({ credential, signatureKey }, leafIndex) => ({ leafIndex, credential, signatureKey }))

  expect(await newcomersAreListed(authority, { before: [there], members: members.slice(0, 1) })).toBe(true)
  expect(await newcomersAreListed(authority, { before: [there], members })).toBe(false)
  // One that was there already stays until somebody commits its removal.
  const both = [there, { ...there, device: withdrawn.certificate.device, leaf: 1 }]
  expect(await newcomersAreListed(authority, { before: both, members })).toBe(true)
})
