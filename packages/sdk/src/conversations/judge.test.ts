import { Certificates, encodePolicy, type Policy } from '@tacit/contract'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Group, JudgeCommit, Member, MembershipChange } from '@tacit/mls'
import { CastMember, CastPeople, type CastDevice } from '../devices/cast.test-support.ts'
import { judgeCommit } from './judge.ts'

type Judged = Parameters<JudgeCommit>[0]

let alice: CastMember
let bob: CastMember
let carol: CastMember
let aliceDevice: CastDevice
let aliceTablet: CastDevice
let bobDevice: CastDevice
let bobTablet: CastDevice
let carolDevice: CastDevice
const people = new CastPeople()
const judge = judgeCommit({ certificates: new Certificates(), people })

beforeAll(async () => {
  ;[alice, bob, carol] = await Promise.all([CastMember.make(), CastMember.make(), CastMember.make()])
  aliceDevice = await alice.device()
  aliceTablet = await alice.device()
  bobDevice = await bob.device()
  bobTablet = await bob.device()
  carolDevice = await carol.device()
  for (const person of [alice, bob, carol]) {
    people.pinned.set(person.account, await person.known())
    people.onServer.set(person.account, await person.known())
  }
})

const memberOf = ({ credential, signatureKey }: CastDevice, leafIndex: number): Member => ({ leafIndex, credential, signatureKey })

function groupOf(devices: readonly CastDevice[], policy: Policy): Group {
  const members = devices.map(memberOf)
  const groupId = new Uint8Array(16)
  return {
    groupId,
    epoch: 3n,
    ownLeafIndex: 0,
    active: true,
    members,
    policy: encodePolicy(policy),
    epochAuthenticator: groupId,
    pendingProposals: [],
  }
}

const added = (device: CastDevice): MembershipChange => ({ kind: 'added', member: memberOf(device, 9) })
const removed = (device: CastDevice): MembershipChange => ({ kind: 'removed', member: memberOf(device, 9) })

/** A commit `by` a device in a group; whoever is not named as proposer is the committer. */
function commit(given: {
  group: Group
  by: CastDevice
  changes?: readonly MembershipChange[]
  proposer?: CastDevice
  external?: boolean
  policy?: Policy
}): Promise<boolean> {
  const { group, by, changes = [], proposer = by, external = false, policy } = given
  const judged: Judged = {
    group,
    by: memberOf(by, 0),
    external,
    changes,
    proposers: changes.map(() => memberOf(proposer, 0)),
    ...(policy && { policy: encodePolicy(policy) }),
  }
  return judge(judged)
}

describe('in a group', () => {
  const group = (...devices: CastDevice[]) => groupOf(devices, { kind: 'group', admins: [alice.account] })

  test('anybody adds people', async () => {
    expect(await commit({ group: group(aliceDevice, bobDevice), by: bobDevice, changes: [added(carolDevice)] })).toBe(true)
  })

  test('an admin removes people, nobody else does', async () => {
    const of = group(aliceDevice, bobDevice, carolDevice)
    expect(await commit({ group: of, by: aliceDevice, changes: [removed(bobDevice)] })).toBe(true)
    expect(await commit({ group: of, by: bobDevice, changes: [removed(carolDevice)] })).toBe(false)
  })

  test('who asks to leave is removed by anybody', async () => {
    const of = group(aliceDevice, bobDevice, carolDevice)
    expect(await commit({ group: of, by: bobDevice, proposer: carolDevice, changes: [removed(carolDevice)] })).toBe(true)
    expect(await commit({ group: of, by: bobDevice, proposer: bobDevice, changes: [removed(carolDevice)] })).toBe(false)
  })

  test('one removes own devices, and not the last admin’s rights with them', async () => {
    const of = group(aliceDevice, bobDevice, bobTablet)
    expect(await commit({ group: of, by: bobDevice, changes: [removed(bobTablet)] })).toBe(true)
  })

  test('anybody removes a device that its owner withdrew, while the owner keeps another', async () => {
    const lost = await bob.device()
    await bob.withdraw(lost)
    people.pinned.set(bob.account, await bob.known())
    people.onServer.set(bob.account, await bob.known())
    expect(await commit({ group: group(aliceDevice, bobDevice, lost, carolDevice), by: carolDevice, changes: [removed(lost)] })).toBe(true)
    expect(await commit({ group: group(aliceDevice, lost, carolDevice), by: carolDevice, changes: [removed(lost)] })).toBe(false)
  })

  test('anybody brings back a device that could not follow, as itself and nobody else', async () => {
    const of = group(aliceDevice, bobDevice, carolDevice)
    expect(await commit({ group: of, by: bobDevice, changes: [removed(carolDevice), added(carolDevice)] })).toBe(true)
    expect(await commit({ group: of, by: bobDevice, changes: [removed(carolDevice), added(bobTablet)] })).toBe(false)
    const sameId = { ...(await carol.device()), signatureKey: carolDevice.signatureKey }
    expect(await commit({ group: of, by: bobDevice, changes: [removed(carolDevice), added(sameId)] })).toBe(false)
  })

  test('only an admin changes roles, and nobody the kind', async () => {
    const of = group(aliceDevice, bobDevice)
    const both: Policy = { kind: 'group', admins: [alice.account, bob.account] }
    expect(await commit({ group: of, by: aliceDevice, policy: both })).toBe(true)
    expect(await commit({ group: of, by: bobDevice, policy: both })).toBe(false)
    expect(await commit({ group: of, by: aliceDevice, policy: { ...both, kind: 'direct' } })).toBe(false)
    expect(await commit({ group: of, by: aliceDevice, policy: { kind: 'group', admins: [] } })).toBe(false)
  })

  test('when the last admin has left, the longest-standing person is one', async () => {
    const of = group(bobDevice, carolDevice)
    expect(await commit({ group: of, by: bobDevice, changes: [removed(carolDevice)] })).toBe(true)
    expect(await commit({ group: of, by: carolDevice, changes: [removed(bobDevice)] })).toBe(false)
  })

  test('no device is in a group twice', async () => {
    expect(await commit({ group: group(aliceDevice, bobDevice), by: aliceDevice, changes: [added(bobDevice)] })).toBe(false)
  })

  test('a leaf is renewed, but does not become another device', async () => {
    const of = group(aliceDevice, bobDevice)
    const update = (after: CastDevice): MembershipChange => ({ kind: 'updated', before: memberOf(bobDevice, 1), after: memberOf(after, 1) })
    expect(await commit({ group: of, by: bobDevice, changes: [update(bobDevice)] })).toBe(true)
    expect(await commit({ group: of, by: bobDevice, changes: [update(bobTablet)] })).toBe(false)
    expect(await commit({ group: of, by: bobDevice, changes: [update(carolDevice)] })).toBe(false)
  })
})

describe('an external commit', () => {
  const group = (...devices: CastDevice[]) => groupOf(devices, { kind: 'group', admins: [alice.account] })

  test('brings in a device whose account is there already', async () => {
    const of = group(aliceDevice, bobDevice)
    expect(await commit({ group: of, by: aliceTablet, external: true, changes: [added(aliceTablet)] })).toBe(true)
    expect(await commit({ group: of, by: carolDevice, external: true, changes: [added(carolDevice)] })).toBe(false)
  })

  test('replaces its own old leaf, and nobody else’s', async () => {
    const of = group(aliceDevice, bobDevice)
    expect(await commit({ group: of, by: aliceDevice, external: true, changes: [removed(aliceDevice), added(aliceDevice)] })).toBe(true)
    expect(await commit({ group: of, by: aliceTablet, external: true, changes: [removed(aliceDevice), added(aliceTablet)] })).toBe(false)
    expect(await commit({ group: of, by: aliceTablet, external: true, changes: [removed(bobDevice), added(aliceTablet)] })).toBe(false)
  })

  test('changes no roles', async () => {
    const policy: Policy = { kind: 'group', admins: [bob.account] }
    expect(
      await commit({ group: group(aliceDevice, bobDevice), by: aliceTablet, external: true, changes: [added(aliceTablet)], policy }),
    ).toBe(false)
  })
})

describe('in a direct conversation', () => {
  const direct = (...devices: CastDevice[]) => groupOf(devices, { kind: 'direct', admins: [alice.account, bob.account] })

  test('only devices of its two people belong', async () => {
    expect(await commit({ group: direct(aliceDevice), by: aliceDevice, changes: [added(bobDevice), added(aliceTablet)] })).toBe(true)
    expect(await commit({ group: direct(aliceDevice, bobDevice), by: bobDevice, changes: [added(carolDevice)] })).toBe(false)
  })

  test('nobody removes the other, and roles do not change', async () => {
    const of = direct(aliceDevice, bobDevice, bobTablet)
    expect(await commit({ group: of, by: aliceDevice, changes: [removed(bobDevice)] })).toBe(false)
    expect(await commit({ group: of, by: bobDevice, changes: [removed(bobTablet)] })).toBe(true)
    expect(await commit({ group: of, by: aliceDevice, policy: { kind: 'direct', admins: [alice.account] } })).toBe(false)
  })
})
