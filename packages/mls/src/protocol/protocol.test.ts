/**
 * All kinds of proposals in both framings, a story of each; `walk/` mixes them. Every member stores what it is told to and goes
 * on from what storage gives back.
 */
import { describe, expect, test } from 'vitest'
import { hex } from '../crypto/bytes.ts'
import { MlsError } from '../errors.ts'
import { createMlsEngine } from '../group/engine.ts'
import type { FindPsk } from '../group/key-schedule.ts'
import { stateOf } from '../group/handle.ts'
import type { Bytes, Group, KeyPackagePair, LeafIdentity, MlsEngine, Persist } from '../port.ts'
import type { PskId } from '../public/proposal.ts'
import { branch, commit, findResumption, joinContinued, merge, propose, receive, reinitialise, resumptionKey } from './index.ts'
import type { Framing, Proposable, ResumptionKey, Wanted } from './index.ts'

const NOW = 1_800_000_000n
const utf8 = (words: string): Bytes => new TextEncoder().encode(words)
const yes = (): Promise<boolean> => Promise.resolve(true)
const SHARED = utf8('a secret that all members were told')
const findShared = async (id: PskId): Promise<Bytes | undefined> =>
  id.kind === 'external' && hex(id.id) === hex(utf8('shared')) ? SHARED : undefined
const sharedPsk: Wanted = { kind: 'psk', psk: { kind: 'external', id: utf8('shared') } }

class Member {
  readonly engine: MlsEngine
  readonly identity: LeafIdentity
  group: Group
  #snapshot: Bytes = new Uint8Array()
  readonly #slots = new Map<string, Bytes>()
  /** Resumption keys of the last epochs. */
  keys: ResumptionKey[] = []

  constructor(engine: MlsEngine, identity: LeafIdentity, start: { group: Group; persist: Persist }) {
    this.engine = engine
    this.identity = identity
    this.group = start.group
    this.#store(start.persist)
  }

  #store(persist: Persist): void {
    if (persist.kind === 'snapshot') {
      this.#snapshot = persist.bytes
      this.#slots.clear()
    }
    for (const { slot, bytes } of persist.slots) {
      if (bytes) this.#slots.set(slot, bytes)
      else this.#slots.delete(slot)
    }
  }

  async keep({ group, persist }: { group: Group; persist: Persist }): Promise<void> {
    if (persist.kind === 'snapshot') this.keys = [resumptionKey(this.group), ...this.keys].slice(0, 3)
    this.#store(persist)
    const slots = [...this.#slots].map(([slot, bytes]) => ({ slot, bytes }))
    this.group = await this.engine.restore({ snapshot: this.#snapshot, slots, identity: this.identity })
    expect(hex(this.group.epochAuthenticator)).toBe(hex(group.epochAuthenticator))
    expect(this.group.pendingProposals).toEqual(group.pendingProposals)
  }

  /** Resumption keys of this epoch and the ones before, and the one key that all were told. */
  get findPsk(): FindPsk {
    return findResumption([resumptionKey(this.group), ...this.keys], findShared)
  }

  get hooks() {
    return { authenticate: yes, judge: yes, now: NOW, findPsk: this.findPsk }
  }

  async hear(message: Bytes): Promise<void> {
    await this.keep(await receive(this.group, message, this.hooks))
  }

  async propose(wanted: Proposable, framing: Framing, others: readonly Member[]): Promise<void> {
    const made = await propose(this.group, wanted, { framing, authenticate: yes })
    await this.keep(made)
    for (const other of others) if (other !== this) await other.hear(made.proposal)
  }

  async commit(framing: Framing, others: readonly Member[], inline: readonly Wanted[] = []) {
    const made = await commit(this.group, { framing, inline, authenticate: yes, findPsk: this.findPsk })
    await this.keep(made)
    for (const other of others) if (other !== this) await other.hear(made.commit)
    await this.keep(merge(this.group, made.next))
    return made
  }

  async package(): Promise<KeyPackagePair> {
    return this.engine.createKeyPackage({ identity: this.identity, notBefore: NOW, notAfter: NOW + 86_400n, lastResort: false })
  }
}

const newIdentity = async (engine: MlsEngine, name: string): Promise<LeafIdentity> => ({
  credential: utf8(name),
  signature: await engine.generateSignaturePair(),
})

const assemble = async (engine: MlsEngine, ...names: readonly string[]): Promise<Member[]> => {
  const [first, ...others] = await Promise.all(names.map((name) => newIdentity(engine, name)))
  if (!first) throw new Error('nobody')
  const founded = await engine.createGroup({ groupId: utf8(`group of ${names.join()}`), identity: first, policy: utf8('policy') })
  const founder = new Member(engine, first, founded)
  const packages = await Promise.all(
    others.map(async (identity) => ({
      identity,
      keyPackage: await engine.createKeyPackage({ identity, notBefore: NOW, notAfter: NOW + 86_400n, lastResort: false }),
    })),
  )
  const made = await founder.commit(
    'public',
    [],
    packages.map(({ keyPackage }) => ({ kind: 'add', keyPackage: keyPackage.keyPackage })),
  )
  const welcome = made.welcomes[0]?.bytes ?? new Uint8Array()
  const joined = packages.map(
    async (each) => new Member(engine, each.identity, await engine.join({ ...each, welcome, authenticate: yes, now: NOW })),
  )
  return [founder, ...(await Promise.all(joined))]
}

const expectAgreement = (members: readonly Member[]): void => {
  expect(new Set(members.map(({ group }) => `${group.epoch} ${hex(group.epochAuthenticator)}`)).size).toBe(1)
}

const reasonOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof MlsError ? error.reason : 'untyped'),
  )

/** Everybody moves into the group that a committed ReInit or a branch made. */
const moveOn = async (members: readonly Member[], as: 'reinit' | 'branch', groupId: Bytes): Promise<Member[]> => {
  const [first, ...others] = members
  if (!first) throw new Error('nobody')
  const packages = await Promise.all(others.map((member) => member.package()))
  const request = { identity: first.identity, add: packages.map(({ keyPackage }) => keyPackage), authenticate: yes }
  const made = as === 'reinit' ? await reinitialise(first.group, request) : await branch(first.group, { ...request, groupId })
  const welcome = made.welcomes[0]?.bytes ?? new Uint8Array()
  const joined = others.map(async (member, at) => {
    const keyPackage = packages[at]
    if (!keyPackage) throw new Error('no key package')
    const { identity, engine, group } = member
    return new Member(engine, identity, await joinContinued({ welcome, keyPackage, identity, authenticate: yes, from: group, as }))
  })
  return [new Member(first.engine, first.identity, { group: made.next, persist: made.nextPersist }), ...(await Promise.all(joined))]
}

describe.each<Framing>(['public', 'private'])('with handshakes in %s messages', (framing) => {
  test('an Update proposal is committed by somebody else and its author goes on with its new key', async () => {
    const all = await assemble(await createMlsEngine({ suite: 1 }), 'Alice', 'Bob', 'Carol')
    const [alice, bob] = all
    if (!alice || !bob) throw new Error('nobody')
    const before = stateOf(bob.group).tree.leaf(1)?.encryptionKey
    await bob.propose({ kind: 'update' }, framing, all)
    await alice.commit(framing, all)
    expectAgreement(all)
    expect(stateOf(bob.group).tree.leaf(1)?.encryptionKey).not.toEqual(before)
    await bob.commit(framing, all)
    expectAgreement(all)
  })

  test('a PSK that all know goes into the next epoch, and who does not know it cannot follow', async () => {
    const all = await assemble(await createMlsEngine({ suite: 1 }), 'Alice', 'Bob', 'Carol')
    const [alice, bob, carol] = all
    if (!alice || !bob || !carol) throw new Error('nobody')
    await bob.propose(sharedPsk, framing, all)
    const made = await commit(alice.group, { framing, authenticate: yes, findPsk: findShared })
    expect(await reasonOf(receive(carol.group, made.commit, { authenticate: yes, judge: yes, now: NOW }))).toBe('invalid')
    await carol.hear(made.commit)
    await bob.hear(made.commit)
    await alice.keep({ group: made.next, persist: made.nextPersist })
    expectAgreement(all)
  })

  test('the resumption key of an epoch before proves that members were there', async () => {
    const all = await assemble(await createMlsEngine({ suite: 1 }), 'Alice', 'Bob')
    const [alice, bob] = all
    if (!alice || !bob) throw new Error('nobody')
    const { groupId, epoch } = bob.group
    await alice.commit(framing, all)
    await bob.commit(framing, all, [{ kind: 'psk', psk: { kind: 'resumption', usage: 'application', groupId, epoch } }])
    expectAgreement(all)
  })

  test('a ReInit ends the group and everybody meets in the next one, in another suite', async () => {
    const all = await assemble(await createMlsEngine({ suite: 1 }), 'Alice', 'Bob', 'Carol')
    const [alice, bob] = all
    if (!alice || !bob) throw new Error('nobody')
    const hybrid = await createMlsEngine()
    const { extensions } = stateOf(alice.group).context
    await bob.propose({ kind: 'reinit', groupId: utf8('the next'), suite: hybrid.suite, extensions }, framing, all)
    await alice.commit(framing, all)
    expect(all.map(({ group }) => group.active)).toEqual([false, false, false])
    expect(await reasonOf(alice.engine.seal(alice.group, utf8('too late')))).toBe('usage')
    const next = await moveOn(
      all.map((member) => withEngine(member, hybrid)),
      'reinit',
      utf8('the next'),
    )
    expectAgreement(next)
    expect(next.map(({ group }) => [stateOf(group).suite.id, group.epoch])).toEqual(next.map(() => [hybrid.suite, 1n]))
    await next[1]?.commit(framing, next)
    expectAgreement(next)
  })
})

const withEngine = ({ identity, group }: Member, engine: MlsEngine): Member =>
  new Member(engine, identity, { group, persist: engine.snapshot(group) })

test('a branch has some of the members, and the group goes on without noticing', async () => {
  const all = await assemble(await createMlsEngine({ suite: 1 }), 'Alice', 'Bob', 'Carol')
  const some = await moveOn(all.slice(0, 2), 'branch', utf8('two of us'))
  expectAgreement(some)
  expect(some[0]?.group.members.length).toBe(2)
  await all[2]?.commit('public', all)
  expectAgreement(all)
})

test('a Welcome into a group that continues nothing, or with a stranger in it, is not taken for a branch', async () => {
  const engine = await createMlsEngine({ suite: 1 })
  const [alice, bob] = await assemble(engine, 'Alice', 'Bob')
  const mallory = await newIdentity(engine, 'Mallory')
  if (!alice || !bob) throw new Error('nobody')
  const keyPackage = await bob.package()
  const stranger = await engine.createKeyPackage({ identity: mallory, notBefore: NOW, notAfter: NOW + 86_400n, lastResort: false })
  const join = (welcome: Bytes | undefined) =>
    joinContinued({
      welcome: welcome ?? new Uint8Array(),
      keyPackage,
      identity: bob.identity,
      authenticate: yes,
      from: bob.group,
      as: 'branch',
    })
  const other = await engine.createGroup({ groupId: utf8('something else'), identity: alice.identity, policy: utf8('') })
  const plain = await engine.commit(other.group, { add: [keyPackage.keyPackage], authenticate: yes })
  expect(await reasonOf(join(plain.welcomes[0]?.bytes))).toBe('invalid')
  const add = [keyPackage.keyPackage, stranger.keyPackage]
  const mixed = await branch(alice.group, { identity: alice.identity, add, authenticate: yes, groupId: utf8('with a stranger') })
  expect(await reasonOf(join(mixed.welcomes[0]?.bytes))).toBe('invalid')
})

test('a ReInit that waits beside other proposals is left out of a commit that asks for none in particular', async () => {
  const all = await assemble(await createMlsEngine({ suite: 1 }), 'Alice', 'Bob', 'Carol')
  const [alice, bob, carol] = all
  if (!alice || !bob || !carol) throw new Error('nobody')
  const { extensions } = stateOf(alice.group).context
  await bob.propose({ kind: 'reinit', groupId: utf8('the next'), suite: 1, extensions }, 'public', all)
  await carol.propose({ kind: 'update' }, 'public', all)
  const made = await alice.commit('public', all)
  expect(made.changes.map(({ kind }) => kind)).toEqual(['updated'])
  expectAgreement(all)
  expect(all.map(({ group }) => group.active)).toEqual([true, true, true])
})
