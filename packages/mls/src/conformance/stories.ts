/** What people do with a group, told through the port. Run once with live groups and once with storage in between. */
import { describe, expect, test } from 'vitest'
import type { MlsEngine, Opened } from '../port.ts'
import { expectAgreement, hex, NOW, refusal, Seat, text, utf8, World } from './world.ts'

const commitOf = (opened: Opened) => {
  if (opened.kind !== 'commit') throw new Error(`expected a commit, got a ${opened.kind}`)
  return opened
}

export const stories = (makeEngine: () => Promise<MlsEngine>, options: { readonly reloads: boolean }): void => {
  const newWorld = async () => new World(await makeEngine(), options)

  describe(options.reloads ? 'with every step saved and restored' : 'with live groups', () => {
    test('Alice adds Bob and Carol in one commit; all three agree and talk', async () => {
      const [alice, bob, carol] = await (await newWorld()).assemble('Alice', 'Bob', 'Carol')
      if (bob === undefined || carol === undefined) throw new Error('two were added')
      expectAgreement(alice, bob, carol)
      expect(alice.group.epoch).toBe(1n)
      for (const [from, to, too] of [
        [alice, bob, carol],
        [bob, carol, alice],
        [carol, alice, bob],
      ] as const) {
        for (const words of ['first', 'second', '']) {
          const sealed = await from.say(words)
          expect(await to.read(sealed)).toBe(words)
          expect(await too.read(sealed)).toBe(words)
        }
      }
    })

    test('a Welcome tells the joiner who made it and what note came with it', async () => {
      const world = await newWorld()
      const alice = await world.found('Alice')
      const identity = await world.device('Bob')
      const keyPackage = await world.publish(identity)
      const { welcomes, changes } = await alice.commit([], { add: [keyPackage.keyPackage], note: utf8('transcript start') })
      expect(changes.map(({ kind }) => kind)).toEqual(['added'])
      const [welcome] = welcomes
      if (welcome === undefined) throw new Error('an add yields a welcome')
      expect(welcome.refs.map(hex)).toEqual([hex(keyPackage.ref)])
      const joined = await world.engine.join({ welcome: welcome.bytes, keyPackage, identity, authenticate: world.authenticate, now: NOW })
      expect(text(joined.note)).toBe('transcript start')
      expect(text(joined.signer.credential)).toBe('certificate of Alice')
      expect(joined.signer.leafIndex).toBe(alice.leaf)
    })

    test('a message carries its sender and its authenticated data', async () => {
      const world = await newWorld()
      const [alice, bob] = await world.assemble('Alice', 'Bob')
      if (bob === undefined) throw new Error('Bob was added')
      const { group, sealed, persist } = await world.engine.seal(alice.group, utf8('hi'), utf8('for the server'))
      await alice.keep(group, persist)
      const opened = await bob.hear(sealed)
      expect(opened.kind).toBe('message')
      expect(text(opened.authenticatedData)).toBe('for the server')
      expect(text(opened.sender.credential)).toBe('certificate of Alice')
    })

    test('Carol is removed and cannot read what comes after', async () => {
      const [alice, bob, carol] = await (await newWorld()).assemble('Alice', 'Bob', 'Carol')
      if (bob === undefined || carol === undefined) throw new Error('two were added')
      const before = carol.group
      const { commit } = await alice.commit([bob], { remove: [carol.leaf], authenticatedData: utf8('why') })
      const opened = commitOf(await carol.hear(commit))
      expect(opened.group.active).toBe(false)
      expect(text(opened.authenticatedData)).toBe('why')
      expect(opened.changes.map((change) => [change.kind, change.kind === 'updated' ? -1 : change.member.leafIndex])).toEqual([
        ['removed', 2],
      ])
      expectAgreement(alice, bob)
      const secret = await alice.say('about Carol')
      expect(await bob.read(secret)).toBe('about Carol')
      expect(await refusal(() => carol.hear(secret))).toBe('usage')
      expect(await refusal(() => carol.say('still here?'))).toBe('usage')
      expect(await refusal(() => carol.world.engine.open(before, secret, carol.world.hooks()))).toBe('future_epoch')
    })

    test('one commit removes Bob and adds Dave into his place', async () => {
      const world = await newWorld()
      const [alice, bob, carol] = await world.assemble('Alice', 'Bob', 'Carol')
      if (bob === undefined || carol === undefined) throw new Error('two were added')
      const identity = await world.device('Dave')
      const keyPackage = await world.publish(identity)
      const { welcomes, changes } = await carol.commit([alice], { remove: [bob.leaf], add: [keyPackage.keyPackage] })
      expect(changes.map(({ kind }) => kind)).toEqual(['removed', 'added'])
      const joined = await world.engine.join({
        welcome: welcomes[0]?.bytes ?? utf8(''),
        keyPackage,
        identity,
        authenticate: world.authenticate,
        now: NOW,
      })
      const dave = await Seat.take(world, { name: 'Dave', identity, group: joined.group, persist: joined.persist })
      expect(dave.leaf).toBe(1)
      expectAgreement(alice, carol, dave)
      expect(await dave.read(await alice.say('welcome'))).toBe('welcome')
      expect(await alice.read(await dave.say('thanks'))).toBe('thanks')
    })

    test('Bob asks to be removed; Alice commits it; the waiting proposal blocks messages until then', async () => {
      const [alice, bob, carol] = await (await newWorld()).assemble('Alice', 'Bob', 'Carol')
      if (bob === undefined || carol === undefined) throw new Error('two were added')
      const { group, proposal, persist } = await bob.world.engine.proposeRemove(bob.group, bob.leaf, utf8('bye'))
      await bob.keep(group, persist)
      const heard = await alice.hear(proposal)
      expect(heard.kind === 'proposal' && heard.removes).toBe(bob.leaf)
      expect(text(heard.authenticatedData)).toBe('bye')
      await carol.hear(proposal)
      expect(alice.group.pendingProposals.map(({ removes, by }) => [removes, by.leafIndex])).toEqual([[bob.leaf, bob.leaf]])
      expect(await refusal(() => alice.say('not yet'))).toBe('usage')
      expect(await refusal(() => carol.hear(proposal))).toBe('duplicate')
      const { commit } = await alice.commit([carol])
      expect(commitOf(await bob.hear(commit)).group.active).toBe(false)
      expect(alice.group.pendingProposals).toEqual([])
      expectAgreement(alice, carol)
      expect(await carol.read(await alice.say('now'))).toBe('now')
    })

    test('a committer takes only the waiting proposals that can stand: not its own removal, no leaf twice', async () => {
      const [alice, bob, carol] = await (await newWorld()).assemble('Alice', 'Bob', 'Carol')
      if (bob === undefined || carol === undefined) throw new Error('two were added')
      await alice.proposeRemove([bob, carol], bob.leaf)
      await carol.proposeRemove([alice, bob], bob.leaf)
      await bob.proposeRemove([alice, carol], alice.leaf)
      for (const seat of [alice, bob, carol])
        expect(seat.group.pendingProposals.map(({ by }) => by.leafIndex).toSorted((a, b) => a - b)).toEqual([0, 1, 2])
      const { changes } = await alice.commit([carol])
      expect(changes.map(({ kind }) => kind)).toEqual(['removed'])
      expectAgreement(alice, carol)
    })

    test('a commit by reference takes the proposals it names and no others', async () => {
      const [alice, bob, carol] = await (await newWorld()).assemble('Alice', 'Bob', 'Carol')
      if (bob === undefined || carol === undefined) throw new Error('two were added')
      await bob.proposeRemove([alice, carol], bob.leaf)
      const { changes } = await alice.commit([bob, carol], { byReference: [] })
      expect(changes).toEqual([])
      expectAgreement(alice, bob, carol)
      expect(await refusal(() => alice.commit([], { byReference: [utf8('no such proposal')] }))).toBe('usage')
    })

    test('the policy travels in the group context and every member sees it change', async () => {
      const [alice, bob] = await (await newWorld()).assemble('Alice', 'Bob')
      if (bob === undefined) throw new Error('Bob was added')
      expect(text(bob.group.policy)).toBe('policy 0')
      const { commit } = await bob.commit([], { policy: utf8('policy 1') })
      expect(commitOf(await alice.hear(commit)).policyChanged).toBe(true)
      expect(text(alice.group.policy)).toBe('policy 1')
      expectAgreement(alice, bob)
      const empty = await alice.commit([], {})
      expect(commitOf(await bob.hear(empty.commit)).policyChanged).toBe(false)
      expect(text(bob.group.policy)).toBe('policy 1')
    })

    test('one commit changes policy and membership together', async () => {
      const [alice, bob, carol] = await (await newWorld()).assemble('Alice', 'Bob', 'Carol')
      if (bob === undefined || carol === undefined) throw new Error('two were added')
      const identity = await alice.world.device('Dave')
      const keyPackage = await alice.world.publish(identity)
      const { welcomes } = await alice.commit([bob], { remove: [carol.leaf], add: [keyPackage.keyPackage], policy: utf8('new rules') })
      const { engine, authenticate } = alice.world
      const joined = await engine.join({ welcome: welcomes[0]?.bytes ?? utf8(''), keyPackage, identity, authenticate, now: NOW })
      const dave = await Seat.take(alice.world, { name: 'Dave', identity, group: joined.group, persist: joined.persist })
      expectAgreement(alice, bob, dave)
      expect(text(dave.group.policy)).toBe('new rules')
      expect(await dave.read(await bob.say('hello'))).toBe('hello')
    })

    test('a new device joins by external commit and everybody goes on', async () => {
      const world = await newWorld()
      const [alice, bob] = await world.assemble('Alice', 'Bob')
      if (bob === undefined) throw new Error('Bob was added')
      const { groupInfo } = await alice.commit([bob], { note: utf8('start here') })
      const info = await world.engine.inspectGroupInfo(groupInfo)
      expect([info.epoch, text(info.note), text(info.policy), info.members.length]).toEqual([2n, 'start here', 'policy 0', 2])
      expect([info.signer.leafIndex, text(info.signer.credential)]).toEqual([alice.leaf, 'certificate of Alice'])
      const identity = await world.device('Bob on his phone')
      const joined = await world.engine.joinExternal({
        groupInfo,
        identity,
        authenticate: world.authenticate,
        authenticatedData: utf8('link'),
      })
      expect(text(joined.note)).toBe('start here')
      const phone = await Seat.take(world, { name: 'phone', identity, group: joined.next, persist: joined.persist })
      const opened = commitOf(await alice.hear(joined.commit))
      expect([opened.external, opened.sender.leafIndex, text(opened.sender.credential)]).toEqual([
        true,
        phone.leaf,
        'certificate of Bob on his phone',
      ])
      expect(text(opened.authenticatedData)).toBe('link')
      await bob.hear(joined.commit)
      expectAgreement(alice, bob, phone)
      expect(await bob.read(await phone.say('it is me'))).toBe('it is me')
      expect(await phone.read(await alice.say('hello phone'))).toBe('hello phone')
      const second = await world.engine.joinExternal({
        groupInfo: joined.groupInfo,
        identity: await world.device('Bob on a tablet'),
        authenticate: world.authenticate,
      })
      expect(text(second.note)).toBe('start here')
      expect((await world.engine.inspectGroupInfo(joined.groupInfo)).signer.leafIndex).toBe(phone.leaf)
      await phone.hear(second.commit)
      expect(phone.group.members.length).toBe(4)
    })

    test('a device that lost its state comes back into its own leaf', async () => {
      const world = await newWorld()
      const [alice, bob, carol] = await world.assemble('Alice', 'Bob', 'Carol')
      if (bob === undefined || carol === undefined) throw new Error('two were added')
      const { groupInfo } = await alice.commit([bob, carol])
      const joined = await world.engine.joinExternal({
        groupInfo,
        identity: bob.identity,
        replaces: bob.leaf,
        authenticate: world.authenticate,
      })
      const again = await Seat.take(world, { name: 'Bob again', identity: bob.identity, group: joined.next, persist: joined.persist })
      const opened = commitOf(await carol.hear(joined.commit))
      expect(opened.changes.map(({ kind }) => kind)).toEqual(['removed', 'added'])
      await alice.hear(joined.commit)
      expectAgreement(alice, carol, again)
      expect(again.group.members.length).toBe(3)
      expect(await again.read(await carol.say('welcome back'))).toBe('welcome back')
      expect(commitOf(await bob.hear(joined.commit)).group.active).toBe(false)
    })

    test('a lone member can resync, and can invite afterwards', async () => {
      const world = await newWorld()
      const alice = await world.found('Alice')
      const { groupInfo } = await alice.commit([])
      const joined = await world.engine.joinExternal({
        groupInfo,
        identity: alice.identity,
        replaces: alice.leaf,
        authenticate: world.authenticate,
      })
      const again = await Seat.take(world, { name: 'Alice again', identity: alice.identity, group: joined.next, persist: joined.persist })
      const [bob] = await again.admit([], 'Bob')
      if (bob === undefined) throw new Error('Bob was added')
      expectAgreement(again, bob)
      expect(await bob.read(await again.say('hello'))).toBe('hello')
    })

    test('the last messages of the epoch before can still be opened; handshakes and older messages cannot', async () => {
      const [alice, bob] = await (await newWorld()).assemble('Alice', 'Bob')
      if (bob === undefined) throw new Error('Bob was added')
      const late = [await bob.say('late one'), await bob.say('late two'), await bob.say('too late')] as const
      const update = await alice.commit([])
      expect(await alice.read(late[0])).toBe('late one')
      expect(await refusal(() => alice.hear(late[0]))).toBe('duplicate')
      await bob.hear(update.commit)
      expect(await alice.read(late[1])).toBe('late two')
      expect(await refusal(() => bob.hear(update.commit))).toBe('stale_epoch')
      await alice.commit([bob])
      expect(await refusal(() => alice.hear(late[2]))).toBe('stale_epoch')
    })

    test('exported secrets agree, and differ by label, context and epoch', async () => {
      const [alice, bob] = await (await newWorld()).assemble('Alice', 'Bob')
      if (bob === undefined) throw new Error('Bob was added')
      const { engine } = alice.world
      const one = hex(await engine.exportSecret(alice.group, 'presence', utf8('a'), 32))
      expect(hex(await engine.exportSecret(bob.group, 'presence', utf8('a'), 32))).toBe(one)
      expect(one).toHaveLength(64)
      expect(hex(await engine.exportSecret(alice.group, 'presence', utf8('b'), 32))).not.toBe(one)
      expect(hex(await engine.exportSecret(alice.group, 'typing', utf8('a'), 32))).not.toBe(one)
      await alice.commit([bob])
      expect(hex(await engine.exportSecret(bob.group, 'presence', utf8('a'), 32))).not.toBe(one)
    })

    test('a long mixed walk keeps every member in agreement', { timeout: 120_000 }, async () => {
      await walk(await newWorld(), { seed: options.reloads ? 7 : 3, steps: 30 })
    })
  })
}

/** A seeded walk of adds, removals, updates, resyncs and messages in a group of two to nine. */
const walk = async (world: World, { seed, steps }: { readonly seed: number; readonly steps: number }): Promise<void> => {
  const dice = mulberry32(seed)
  const below = (limit: number): number => Math.floor(dice() * limit)
  let seats: Seat[] = await world.assemble('founder', 'second')
  for (let step = 0; step < steps; step += 1) {
    const actor = seats[below(seats.length)]
    if (actor === undefined) throw new Error('nobody is left')
    const others = seats.filter((seat) => seat !== actor)
    const other = others[below(others.length)]
    const roll = dice()
    if (roll < 0.35 && seats.length < 9)
      seats = [...seats, ...(await actor.admit(others, `device ${step}`, ...(roll < 0.15 ? [`twin ${step}`] : [])))]
    else if (roll < 0.6 && other !== undefined && seats.length > 2) seats = await dismiss(actor, other, seats)
    else if (roll < 0.75) await actor.commit(others)
    else if (roll < 0.85 && other !== undefined) seats = await resync(actor, other, seats)
    else await actor.commit(others, { policy: utf8(`policy ${step}`) })
    expectAgreement(...seats)
    const speaker = seats[below(seats.length)]
    const sealed = await speaker?.say(`step ${step}`)
    for (const seat of seats) if (seat !== speaker && sealed !== undefined) expect(await seat.read(sealed)).toBe(`step ${step}`)
  }
}

const dismiss = async (actor: Seat, other: Seat, seats: readonly Seat[]): Promise<Seat[]> => {
  const remaining = seats.filter((seat) => seat !== other)
  const { commit } = await actor.commit(
    remaining.filter((seat) => seat !== actor),
    { remove: [other.leaf] },
  )
  expect((await other.hear(commit)).group.active).toBe(false)
  return remaining
}

const resync = async (actor: Seat, lost: Seat, seats: readonly Seat[]): Promise<Seat[]> => {
  const { world } = actor
  const { groupInfo } = await actor.commit(seats.filter((seat) => seat !== actor))
  const joined = await world.engine.joinExternal({
    groupInfo,
    identity: lost.identity,
    replaces: lost.leaf,
    authenticate: world.authenticate,
  })
  const back = await Seat.take(world, { name: lost.name, identity: lost.identity, group: joined.next, persist: joined.persist })
  const witnesses = seats.filter((seat) => seat !== lost)
  for (const seat of witnesses) await seat.hear(joined.commit)
  return [...witnesses, back]
}

/** A tiny generator, so that a failing walk can be walked again. */
const mulberry32 = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
}
