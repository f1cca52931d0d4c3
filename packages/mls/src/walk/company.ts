/** The members of a walk and what they can do together: every action ends when all have processed it. */
import { equal, text } from '../crypto/bytes.ts'
import { stateOf } from '../group/handle.ts'
import type { Bytes, KeyPackagePair, LeafIdentity } from '../port.ts'
import { commit, groupInfo, join, joinContinued, propose, reinitialise } from '../protocol/index.ts'
import type { Framing, Proposable, Wanted } from '../protocol/index.ts'
import { expectLockedOut } from './invariants.ts'
import { demand, NOW, Walker, yes } from './walker.ts'
import type { Engines } from './walker.ts'
import type { Witnesses } from './witnesses.ts'

export interface Newcomer {
  readonly identity: LeafIdentity
  readonly keyPackage: KeyPackagePair
}

/** A member that was removed, as it was before it learned of that. */
export interface Gone {
  readonly walker: Walker
  readonly before: Walker['group']
}

export interface Change {
  readonly by: Walker
  readonly add?: readonly Newcomer[]
  readonly leaving?: readonly Walker[]
  readonly policy?: Bytes
  /** Members that proposals remove which wait already. */
  readonly dismissed?: readonly Walker[]
  /** What only the protocol's door can commit. */
  readonly others?: readonly Wanted[]
  /** Through which door the committer goes. */
  readonly door: 'port' | Framing
}

export class Company {
  readonly #engines: Engines
  readonly #dice: (below: number) => number
  readonly #witnesses: Witnesses
  members: readonly Walker[] = []
  gone: readonly Gone[] = []
  #named = 0

  constructor(parts: { engines: Engines; dice: (below: number) => number; witnesses: Witnesses }) {
    this.#engines = parts.engines
    this.#dice = parts.dice
    this.#witnesses = parts.witnesses
  }

  async found(groupId: Bytes): Promise<void> {
    const identity = await this.#identity()
    const made = await this.#engines.strict.createGroup({ groupId, identity, policy: text('') })
    this.members = [await this.#seat(identity, made)]
  }

  async #identity(): Promise<LeafIdentity> {
    return { credential: text(`device ${this.#named++}`), signature: await this.#engines.strict.generateSignaturePair() }
  }

  #seat(identity: LeafIdentity, start: Pick<Parameters<Walker['keep']>[0], 'group' | 'persist'>): Promise<Walker> {
    return Walker.begin(this.#engines, { identity, ...start, patient: this.#dice(2) === 0 })
  }

  async #packageOf(identity: LeafIdentity): Promise<Newcomer> {
    const lifetime = { notBefore: NOW, notAfter: NOW + 86_400n }
    return { identity, keyPackage: await this.#engines.strict.createKeyPackage({ identity, ...lifetime, lastResort: false }) }
  }

  /** Devices with key packages, not in the group yet. */
  async newcomers(count: number): Promise<Newcomer[]> {
    const made: Newcomer[] = []
    for (let left = count; left > 0; left--) made.push(await this.#packageOf(await this.#identity()))
    return made
  }

  /** Everybody but its author receives a handshake; what the port knows too goes through it half of the time. */
  async #deliver(entry: Bytes, from: Walker | undefined, door: Change['door'] | 'protocol'): Promise<void> {
    for (const member of this.members) {
      if (member === from) continue
      await member.hear(entry, (door === 'port' || door === 'public') && this.#dice(2) === 0 ? 'port' : 'protocol')
    }
    this.#witnesses.hear(entry, from)
  }

  /** What somebody who is no member any more might try. */
  tryToOpen(group: Walker['group'], sealed: Bytes): Promise<unknown> {
    return this.#engine.open(group, sealed, { authenticate: yes, judge: yes, now: NOW })
  }

  /** A commit of anything, with proposals that wait; newcomers join by its Welcome. */
  async change(wanted: Change): Promise<void> {
    const { by, add = [], leaving = [], dismissed = [], others = [] } = wanted
    const before = [...leaving, ...dismissed].map((walker) => ({ walker, before: walker.group }))
    const waiting = [...stateOf(by.group).proposals.values()]
    const known = others.length === 0 && waiting.every(({ proposal: { kind } }) => kind === 'update' || kind === 'remove')
    const made = wanted.door === 'port' ? await this.#throughPort(wanted) : await this.#throughProtocol(wanted, wanted.door)
    await this.#deliver(made.commit, by, known ? wanted.door : 'protocol')
    await by.keep(this.#engine.merge(by.group, made.next))
    if (wanted.door !== 'private') for (const each of before) await expectLockedOut(stateOf(each.before), made.commit)
    for (const each of add) await this.#welcome(each, { made, by, psks: others.length > 0 })
    this.dismiss(before)
  }

  #throughPort({ by, add = [], leaving = [], policy }: Change) {
    return this.#engine.commit(by.group, {
      add: add.map(({ keyPackage }) => keyPackage.keyPackage),
      remove: leaving.map(({ leaf }) => leaf),
      ...(policy ? { policy } : {}),
      authenticate: yes,
    })
  }

  async #throughProtocol({ by, add = [], leaving = [], others = [] }: Change, framing: Framing) {
    const inline: Wanted[] = [
      ...leaving.map(({ leaf }) => ({ kind: 'remove', leafIndex: leaf }) as const),
      ...add.map(({ keyPackage }) => ({ kind: 'add', keyPackage: keyPackage.keyPackage }) as const),
      ...others,
    ]
    const made = await commit(by.group, { framing, inline, authenticate: yes, findPsk: by.findPsk })
    // A PrivateMessage has used up a generation of the old epoch, whatever becomes of it.
    await by.keep(made)
    return made
  }

  get #engine() {
    return this.#engines.strict
  }

  async #welcome(
    { identity, keyPackage }: Newcomer,
    from: { made: { readonly welcomes: readonly { refs: readonly Bytes[]; bytes: Bytes }[] }; by: Walker; psks: boolean },
  ): Promise<void> {
    const welcome = from.made.welcomes.find(({ refs }) => refs.some((ref) => equal(ref, keyPackage.ref)))?.bytes
    demand(welcome !== undefined, 'a newcomer got no Welcome')
    const request = { welcome, keyPackage, identity, authenticate: yes, now: NOW }
    const joined = from.psks ? await join({ ...request, findPsk: from.by.findPsk }) : await this.#engine.join(request)
    const walker = await this.#seat(identity, joined)
    this.members = [...this.members, walker]
    this.#witnesses.join(walker, { welcome, keyPackage, known: from.by })
  }

  dismiss(leaving: readonly Gone[]): void {
    for (const { walker } of leaving) demand(!walker.group.active, 'a removed member believes it is in')
    this.members = this.members.filter((member) => !leaving.some(({ walker }) => walker === member))
    this.gone = [...leaving, ...this.gone].slice(0, 4)
  }

  /** A proposal that everybody keeps. */
  async propose(by: Walker, wanted: Proposable, framing: Framing): Promise<void> {
    const made = await propose(by.group, wanted, { framing, authenticate: yes })
    await by.keep(made)
    await this.#deliver(made.proposal, by, wanted.kind === 'psk' || wanted.kind === 'reinit' ? 'protocol' : framing)
  }

  /** A newcomer, or a member that lost its state, joins by its own commit. */
  async enter(helper: Walker, lost?: Walker): Promise<void> {
    const identity = lost?.identity ?? (await this.#identity())
    const joined = await this.#engine.joinExternal({
      groupInfo: await groupInfo(helper.group, text('start')),
      identity,
      ...(lost ? { replaces: lost.leaf } : {}),
      authenticate: yes,
    })
    const before = lost ? [{ walker: lost, before: lost.group }] : []
    await this.#deliver(joined.commit, undefined, 'port')
    const walker = await this.#seat(identity, { group: joined.next, persist: joined.persist })
    this.members = [...this.members, walker]
    for (const each of before) await expectLockedOut(stateOf(each.before), joined.commit)
    this.dismiss(before)
  }

  /** Ends the group by a committed ReInit and meets everybody in the next one (RFC 9420 section 11.2). */
  async startAgain(by: Walker, to: { groupId: Bytes; proposer: Walker; framing: Framing }): Promise<void> {
    const { extensions, suite } = stateOf(by.group).context
    const reinit = { kind: 'reinit', groupId: to.groupId, suite, extensions } as const
    if (to.proposer === by) await this.change({ by, others: [reinit], door: to.framing })
    else {
      await this.propose(to.proposer, reinit, to.framing)
      await this.change({ by, door: to.framing })
    }
    for (const { group } of this.members) demand(!group.active && group.epoch > 0n, 'a ReInit did not end the group')
    this.#witnesses.leave()
    const [first, ...others] = this.members
    demand(first !== undefined, 'nobody is left')
    const packages = await Promise.all(others.map(({ identity }) => this.#packageOf(identity)))
    const add = packages.map(({ keyPackage }) => keyPackage.keyPackage)
    const made = await reinitialise(first.group, { identity: first.identity, add, authenticate: yes })
    const [welcome] = made.welcomes
    const next = [await this.#seat(first.identity, { group: made.next, persist: made.nextPersist })]
    for (const [at, { identity, keyPackage }] of packages.entries()) {
      const from = others[at]?.group
      demand(welcome !== undefined && from !== undefined, 'a ReInit without a Welcome')
      const request = { welcome: welcome.bytes, keyPackage, identity, authenticate: yes, from, as: 'reinit' } as const
      const walker = await this.#seat(identity, await joinContinued(request))
      next.push(walker)
      this.#witnesses.join(walker, { welcome: welcome.bytes, keyPackage, known: first })
    }
    this.members = next
  }
}
