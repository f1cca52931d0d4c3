/** Who may come in, who decides, and what an engine refuses to its own caller. */
import { describe, expect, test } from 'vitest'
import type { Bytes, JudgeCommit, MlsEngine } from '../port.ts'
import { flipped, pair, positions } from './tamper.ts'
import { expectAgreement, hex, NOW, refusal, text, utf8, view, World } from './world.ts'

const DAY = 86_400n

export const trust = (makeEngine: () => Promise<MlsEngine>): void => {
  describe('key packages', () => keyPackages(makeEngine))
  describe('credentials and policy', () => credentials(makeEngine))
  describe('wrong calls', () => wrongCalls(makeEngine))
}

const keyPackages = (makeEngine: () => Promise<MlsEngine>): void => {
  test('an honest key package is recognised', async () => {
    const world = new World(await makeEngine())
    const identity = await world.device('Bob')
    const { ref, keyPackage } = await world.publish(identity)
    const inspected = await world.engine.inspectKeyPackage(keyPackage, NOW)
    expect([hex(inspected.ref), text(inspected.credential), hex(inspected.signatureKey), inspected.lastResort]).toEqual([
      hex(ref),
      'certificate of Bob',
      hex(identity.signature.publicKey),
      false,
    ])
    const last = await world.engine.createKeyPackage({ identity, notBefore: NOW, notAfter: NOW + DAY, lastResort: true })
    expect((await world.engine.inspectKeyPackage(last.keyPackage, NOW)).lastResort).toBe(true)
  })

  test('B-107 B-109: no flipped bit and no cut of a key package passes', async () => {
    const world = new World(await makeEngine())
    const { keyPackage } = await world.publish(await world.device('Bob'))
    for (const at of positions(keyPackage.length, 400)) {
      await refusal(() => world.engine.inspectKeyPackage(flipped(keyPackage, at), NOW))
      await refusal(() => world.engine.inspectKeyPackage(keyPackage.subarray(0, at), NOW))
    }
    expect(await refusal(() => world.engine.inspectKeyPackage(new Uint8Array([...keyPackage, 0]), NOW))).toBe('malformed')
  })

  test('B-108: a lifetime that is over, not begun, inverted or of ten years is refused', async () => {
    const world = new World(await makeEngine())
    const identity = await world.device('Bob')
    const { keyPackage } = await world.publish(identity, { notBefore: NOW - DAY, notAfter: NOW + DAY })
    expect(await refusal(() => world.engine.inspectKeyPackage(keyPackage, NOW - 2n * DAY))).toBe('invalid')
    expect(await refusal(() => world.engine.inspectKeyPackage(keyPackage, NOW + 2n * DAY))).toBe('invalid')
    expect(await refusal(() => world.publish(identity, { notBefore: NOW, notAfter: NOW - 1n }))).toBe('usage')
    expect(await refusal(() => world.publish(identity, { notBefore: NOW, notAfter: NOW + 3_650n * DAY }))).toBe('usage')
  })

  test('a commit that adds an expired key package is refused by those who receive it', async () => {
    const { world, alice, bob } = await pair(makeEngine)
    const { keyPackage } = await world.publish(await world.device('Carol'), { notBefore: NOW - DAY, notAfter: NOW + DAY })
    const { commit } = await alice.commit([], { add: [keyPackage] })
    expect(await refusal(() => bob.hear(commit, { now: NOW + 2n * DAY }))).toBe('invalid')
    await bob.hear(commit)
    expectAgreement(alice, bob)
  })

  test('B-114: a member cannot be added twice, nor one key package twice in a commit', async () => {
    const { world, alice, bob } = await pair(makeEngine)
    const twin = await world.publish(bob.identity)
    expect(['invalid', 'usage']).toContain(await refusal(() => alice.commit([], { add: [twin.keyPackage] })))
    const carol = await world.publish(await world.device('Carol'))
    expect(['invalid', 'usage']).toContain(await refusal(() => alice.commit([], { add: [carol.keyPackage, carol.keyPackage] })))
  })

  test('an engine refuses key packages of a suite that is not its own', async () => {
    const world = new World(await makeEngine())
    const { keyPackage } = await world.publish(await world.device('Bob'))
    expect(await refusal(() => world.engine.inspectKeyPackage(keyPackage.with(3, (keyPackage[3] ?? 0) ^ 0x0f), NOW))).toBe('unsupported')
  })
}

const credentials = (makeEngine: () => Promise<MlsEngine>): void => {
  test('B-110 B-119: a stranger is refused on every way in: add, received commit, Welcome, external commit', async () => {
    const { world, alice, bob } = await pair(makeEngine)
    const ghost = await world.stranger('Bob')
    const keyPackage = await world.publish(ghost)
    expect(await refusal(() => alice.commit([], { add: [keyPackage.keyPackage] }))).toBe('policy')
    const blind = await world.engine.commit(alice.group, { add: [keyPackage.keyPackage], authenticate: () => Promise.resolve(true) })
    const before = bob.group
    expect(await refusal(() => bob.hear(blind.commit))).toBe('policy')
    expect(bob.group).toBe(before)
    const dave = await world.device('Dave')
    const invited = await world.publish(dave)
    const both = await world.engine.commit(alice.group, {
      add: [keyPackage.keyPackage, invited.keyPackage],
      authenticate: () => Promise.resolve(true),
    })
    const welcome = both.welcomes.find(({ refs }) => refs.some((ref) => hex(ref) === hex(invited.ref)))?.bytes ?? utf8('')
    const join = { welcome, keyPackage: invited, identity: dave, authenticate: world.authenticate, now: NOW }
    expect(await refusal(() => world.engine.join(join))).toBe('policy')
    const { groupInfo } = await alice.commit([bob])
    const external = await world.engine.joinExternal({ groupInfo, identity: ghost, authenticate: world.authenticate })
    expect(await refusal(() => bob.hear(external.commit))).toBe('policy')
    const tainted = { groupInfo: blind.groupInfo, identity: dave, authenticate: world.authenticate }
    expect(await refusal(() => world.engine.joinExternal(tainted))).toBe('policy')
  })

  test('a path update asks for the committer again', async () => {
    const { alice, bob } = await pair(makeEngine)
    const { commit } = await alice.commit([])
    expect(await refusal(() => bob.hear(commit, { authenticate: () => Promise.resolve(false) }))).toBe('policy')
  })

  test('a hook that fails counts as a no', async () => {
    const { alice, bob } = await pair(makeEngine)
    const { commit } = await alice.commit([])
    const broken = () => Promise.reject(new Error('no network'))
    expect(await refusal(() => bob.hear(commit, { authenticate: broken }))).toBe('policy')
    expect(await refusal(() => bob.hear(commit, { judge: broken }))).toBe('policy')
    await bob.hear(commit)
    expectAgreement(alice, bob)
  })

  test('B-118: the judge sees who changes what before it happens, and its no leaves the group as it was', async () => {
    const { world, alice, bob } = await pair(makeEngine)
    const [carol] = await alice.admit([bob], 'Carol')
    if (carol === undefined) throw new Error('Carol was added')
    const dave = await world.publish(await world.device('Dave'))
    const { commit } = await bob.commit([], { remove: [carol.leaf], add: [dave.keyPackage], policy: utf8('policy 9') })
    const seen: Parameters<JudgeCommit>[0][] = []
    const no: JudgeCommit = (judged) => Promise.resolve(seen.push(judged) < 0)
    const before = alice.group
    expect(await refusal(() => alice.hear(commit, { judge: no }))).toBe('policy')
    expect(alice.group).toBe(before)
    const [judged] = seen
    expect(seen).toHaveLength(1)
    expect(judged?.group.epoch).toBe(before.epoch)
    expect([judged?.by.leafIndex, judged?.external, text(judged?.policy ?? utf8(''))]).toEqual([bob.leaf, false, 'policy 9'])
    expect(
      judged?.changes.map((change) => [change.kind, text(change.kind === 'updated' ? change.after.credential : change.member.credential)]),
    ).toEqual([
      ['removed', 'certificate of Carol'],
      ['added', 'certificate of Dave'],
    ])
    expect(judged?.proposers.map(({ leafIndex }) => leafIndex)).toEqual([bob.leaf, bob.leaf])
    await alice.hear(commit)
    expectAgreement(alice, bob)
  })

  test('the judge sees who proposed what another one commits, and judges the proposal itself too', async () => {
    const { alice, bob } = await pair(makeEngine)
    const [carol] = await alice.admit([bob], 'Carol')
    if (carol === undefined) throw new Error('Carol was added')
    const { proposal } = await bob.world.engine.proposeRemove(bob.group, bob.leaf)
    expect(await refusal(() => alice.hear(proposal, { judge: () => Promise.resolve(false) }))).toBe('policy')
    await alice.hear(proposal)
    await carol.hear(proposal)
    const { commit } = await alice.commit([])
    let proposers: readonly number[] = []
    const note: JudgeCommit = (judged) => {
      proposers = judged.proposers.map(({ leafIndex }) => leafIndex)
      return Promise.resolve(true)
    }
    await carol.hear(commit, { judge: note })
    expect(proposers).toEqual([bob.leaf])
  })

  test('an external commit that removes somebody else is shown to the judge as just that', async () => {
    const { world, alice, bob } = await pair(makeEngine)
    const [carol] = await alice.admit([bob], 'Carol')
    if (carol === undefined) throw new Error('Carol was added')
    const { groupInfo } = await alice.commit([bob, carol])
    const own: JudgeCommit = ({ changes, by, external }) =>
      Promise.resolve(
        !external || changes.every((change) => change.kind !== 'removed' || text(change.member.credential) === text(by.credential)),
      )
    const mallory = await world.device('Mallory')
    const attack = await world.engine.joinExternal({ groupInfo, identity: mallory, replaces: carol.leaf, authenticate: world.authenticate })
    expect(await refusal(() => bob.hear(attack.commit, { judge: own }))).toBe('policy')
    const resync = await world.engine.joinExternal({
      groupInfo,
      identity: carol.identity,
      replaces: carol.leaf,
      authenticate: world.authenticate,
    })
    await bob.hear(resync.commit, { judge: own })
    expect(bob.group.members.length).toBe(3)
  })
}

const wrongCalls = (makeEngine: () => Promise<MlsEngine>): void => {
  test('B-113: nobody removes itself by commit, or an empty leaf, or one leaf twice', async () => {
    const { alice, bob } = await pair(makeEngine)
    expect(await refusal(() => alice.commit([], { remove: [alice.leaf] }))).toBe('usage')
    expect(await refusal(() => alice.commit([], { remove: [9] }))).toBe('usage')
    expect(await refusal(() => alice.commit([], { remove: [bob.leaf, bob.leaf] }))).toBe('usage')
    expect(await refusal(() => alice.world.engine.proposeRemove(alice.group, 9))).toBe('usage')
  })

  test('who commits with a clock adds no device whose key package is over or has not begun', async () => {
    const { world, alice } = await pair(makeEngine)
    const { keyPackage } = await world.publish(await world.device('Carol'))
    const add = (now: bigint) => world.engine.commit(alice.group, { add: [keyPackage], authenticate: world.authenticate, now })
    for (const now of [NOW - 200_000n, NOW + 90n * 86_400n]) expect(await refusal(() => add(now))).toBe('invalid')
    expect((await add(NOW)).changes.length).toBe(1)
  })

  test('a newcomer by external commit may leave its own note to the next one', async () => {
    const { world, alice } = await pair(makeEngine)
    const { groupInfo } = await alice.commit([], { note: utf8('old') })
    const identity = await world.device('Carol')
    const join = (note: Uint8Array) => world.engine.joinExternal({ groupInfo, identity, note, authenticate: world.authenticate })
    const joined = await join(utf8('new'))
    expect(text((await world.engine.inspectGroupInfo(joined.groupInfo)).note)).toBe('new')
    expect(await refusal(() => join(new Uint8Array(257)))).toBe('too_large')
  })

  test('limits: a note over 256 bytes and a group id over 255 are refused', async () => {
    const { world, alice } = await pair(makeEngine)
    expect(await refusal(() => alice.commit([], { note: new Uint8Array(257) }))).toBe('too_large')
    const found = { groupId: new Uint8Array(300), identity: alice.identity, policy: utf8('') }
    expect(['usage', 'too_large']).toContain(await refusal(() => world.engine.createGroup(found)))
  })

  test('a snapshot is refused when damaged or given to another identity', async () => {
    const { world, alice, bob } = await pair(makeEngine)
    const { bytes, slots } = world.engine.snapshot(alice.group)
    const restore = (snapshot: Bytes, identity = alice.identity) => world.engine.restore({ snapshot, slots, identity })
    expect(view(await restore(bytes))).toEqual(view(alice.group))
    for (const at of positions(bytes.length, 20)) await refusal(() => restore(bytes.subarray(0, at)))
    expect(await refusal(() => restore(bytes, bob.identity))).toBe('usage')
  })

  test('a group is not changed by what is done with it: two branches can start from one value', async () => {
    const { world, alice, bob } = await pair(makeEngine)
    const start = alice.group
    const one = await world.engine.commit(start, { authenticate: world.authenticate })
    const two = await world.engine.commit(start, { authenticate: world.authenticate, policy: utf8('other') })
    expect(hex(one.next.epochAuthenticator)).not.toBe(hex(two.next.epochAuthenticator))
    const opened = await world.engine.open(bob.group, two.commit, world.hooks())
    expect(hex(opened.group.epochAuthenticator)).toBe(hex(two.next.epochAuthenticator))
    const { sealed } = await world.engine.seal(start, utf8('still epoch one'))
    expect(await bob.read(sealed)).toBe('still epoch one')
  })
}
