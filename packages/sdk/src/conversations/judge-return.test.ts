import { expect, test } from 'vitest'
import { AccountId, Certificates, DeviceId, type Roster, type RosterEntry } from '@tacit/contract'
import { CastMember, CastPeople } from '../devices/cast.test-support.ts'
import { mintId } from '../sealing.ts'
import { platformRandom } from '../surroundings.ts'
import { isBetween, isFairReturn, newcomersAreListed, withdrawnAmong } from './judge-return.ts'

const person = (): AccountId => mintId(platformRandom, AccountId)
const [alice, bob, carol, dave] = [person(), person(), person(), person()]

const leafOf = (account: AccountId, admin = false): RosterEntry => ({ account, device: mintId(platformRandom, DeviceId), leaf: 0, admin })

/** Carol saw Alice, who leads, Bob with a phone and a laptop, and herself. */
const [alices, phone, laptop, carols, daves] = [leafOf(alice, true), leafOf(bob), leafOf(bob), leafOf(carol), leafOf(dave)] as const
const before = [alices, phone, laptop, carols]

const rosterWith = (entries: readonly RosterEntry[], admins: readonly AccountId[] = []): Roster => ({
  entries,
  accounts: [...new Set(entries.map(({ account }) => account))],
  policy: { kind: 'group', admins },
})

const returns = (after: readonly RosterEntry[], voucher: AccountId | undefined, withdrawn: readonly RosterEntry[] = []): boolean =>
  isFairReturn({ before, after: rosterWith(after), voucher, withdrawn: new Set(withdrawn.map(({ device }) => device)) })

const asAdmin = (entry: RosterEntry, admin: boolean): RosterEntry => ({ ...entry, admin })

test('a member may offer the group as it was, and with new people or devices in it', () => {
  expect(returns(before, bob)).toBe(true)
  expect(returns([...before, daves], bob)).toBe(true)
  expect(returns([...before, leafOf(carol)], bob)).toBe(true)
})

test('an admin may offer any group', () => {
  expect(returns([alices, carols, asAdmin(daves, true)], alice)).toBe(true)
})

test('a member who is no admin offers no group in which somebody is missing, or of another role', () => {
  expect(returns([phone, laptop, carols], bob)).toBe(false)
  expect(returns([alices, asAdmin(phone, true), asAdmin(laptop, true), carols], bob)).toBe(false)
  expect(returns([asAdmin(alices, false), phone, laptop, carols], bob)).toBe(false)
  expect(returns([...before, asAdmin(daves, true)], bob)).toBe(false)
})

test('a member who is no admin offers no group in which a device of somebody else is missing, unless its owner withdrew it', () => {
  const without = [alices, phone, carols]
  expect(returns(without, carol)).toBe(false)
  expect(returns(without, carol, [laptop])).toBe(true)
  expect(returns(without, bob)).toBe(true)
  // Another device of the same person does not make up for it.
  expect(returns([...without, leafOf(bob)], carol)).toBe(false)
  // The last one stays: a person is not removed by taking a device off the list.
  expect(returns([alices, carols], carol, [phone, laptop])).toBe(false)
})

test('a stranger offers no group, nor does nobody', () => {
  expect(returns([...before, daves], dave)).toBe(false)
  expect(returns(before, undefined)).toBe(false)
})

test('a direct conversation stays between its two people', () => {
  const two = [alice, bob]
  expect(isBetween(rosterWith([alices, phone, leafOf(bob)], two), two)).toBe(true)
  expect(isBetween(rosterWith([alices, phone, carols], two), two)).toBe(false)
  expect(isBetween(rosterWith([alices, phone], [...two, carol]), two)).toBe(false)
})

test('a device that is missing was withdrawn only if its owner’s newest list says so', async () => {
  const owner = await CastMember.make()
  const [kept, lost] = [await owner.device(), await owner.device()]
  await owner.withdraw(lost)
  const people = new CastPeople()
  people.onServer.set(owner.account, await owner.known())
  const entryOf = ({ certificate: { account, device } }: typeof kept): RosterEntry => ({ account, device, leaf: 0, admin: false })
  const withdrawn = await withdrawnAmong({ people }, [entryOf(kept), entryOf(lost), alices])
  expect([...withdrawn]).toEqual([lost.certificate.device])
})

test('a device that its owner has withdrawn does not come back while this one looked away', async () => {
  const owner = await CastMember.make()
  const tablet = await owner.device()
  const listed = await owner.known()
  const withdrawn = await owner.device({ listed: false })
  const people = new CastPeople()
  people.pinned.set(owner.account, listed)
  people.onServer.set(owner.account, listed)
  const authority = { certificates: new Certificates(), people, clock: { now: () => 1_800_000_000_000 } }
  const there = { account: owner.account, device: tablet.certificate.device, leaf: 0, admin: true }
  const members = [tablet, withdrawn].map(({ credential, signatureKey }, leafIndex) => ({ leafIndex, credential, signatureKey }))

  expect(await newcomersAreListed(authority, { before: [there], members: members.slice(0, 1) })).toBe(true)
  expect(await newcomersAreListed(authority, { before: [there], members })).toBe(false)
  // One that was there already stays until somebody commits its removal.
  const both = [there, { ...there, device: withdrawn.certificate.device, leaf: 1 }]
  expect(await newcomersAreListed(authority, { before: both, members })).toBe(true)
})
