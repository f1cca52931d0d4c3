/**
 * Random walks: a seeded group adds, removes, updates, resyncs, talks and forgets, and after every commit all members must
 * agree, the removed must be deaf, and storage must give back what memory has. Run it alone with
 * `node -C tacit-source packages/mls/src/walk.ts --seed 7 --commits 10000 --members 32 --suite 1`.
 */
import { parseArgs } from 'node:util'
import { diceOf } from './dice.ts'
import { createMlsEngine } from './group/engine.ts'
import { MlsError } from './errors.ts'
import type { Bytes, CommitRequest, Group, KeyPackagePair, LeafIdentity, MlsEngine, Persist } from './port.ts'

export interface WalkOptions {
  readonly engine: MlsEngine
  readonly seed: number
  readonly commits: number
  /** The group grows to at most this many. */
  readonly members: number
  /** Told after every commit. */
  readonly report?: (step: string) => void
}

export interface WalkResult {
  readonly commits: number
  readonly messages: number
  readonly adds: number
  readonly removes: number
  readonly externals: number
  readonly references: number
  /** Attempts of removed members that were refused. */
  readonly refused: number
}

const NOW = 1_800_000_000n
const utf8 = (text: string): Bytes => new TextEncoder().encode(text)
const same = (a: Bytes, b: Bytes): boolean => a.length === b.length && a.every((byte, at) => byte === b[at])
const yes = (): Promise<boolean> => Promise.resolve(true)
const hooks = { authenticate: yes, judge: yes, now: NOW }

const demand = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(`walk: ${what}`)
}

/** A member with what it stored. */
class Walker {
  readonly identity: LeafIdentity
  readonly #engine: MlsEngine
  group: Group
  #snapshot: Bytes = new Uint8Array()
  readonly #slots = new Map<string, Bytes>()

  constructor(engine: MlsEngine, identity: LeafIdentity, start: { group: Group; persist: Persist }) {
    this.#engine = engine
    this.identity = identity
    this.group = start.group
    this.#store(start.persist)
  }

  #store(persist: Persist): void {
    if (persist.kind === 'snapshot') {
      this.#snapshot = persist.bytes
      this.#slots.clear()
    } else {
      const size = persist.slots.reduce((sum, { slot, bytes }) => sum + slot.length + (bytes?.length ?? 0), 0)
      demand(size < 1024, 'a delta is larger than 1 KB')
    }
    for (const { slot, bytes } of persist.slots) {
      if (bytes) this.#slots.set(slot, bytes)
      else this.#slots.delete(slot)
    }
  }

  /** Stores, and goes on from what storage gives back. */
  async keep({ group, persist }: { group: Group; persist: Persist }): Promise<void> {
    this.#store(persist)
    const slots = [...this.#slots].map(([slot, bytes]) => ({ slot, bytes })).toReversed()
    this.group = await this.#engine.restore({ snapshot: this.#snapshot, slots, identity: this.identity })
    const before = [group.epoch, group.members.length, group.active, group.pendingProposals.length]
    const after = [this.group.epoch, this.group.members.length, this.group.active, this.group.pendingProposals.length]
    demand(before.join() === after.join() && same(group.epochAuthenticator, this.group.epochAuthenticator), 'storage changed the group')
  }

  async open(entry: Bytes): Promise<void> {
    await this.keep(await this.#engine.open(this.group, entry, hooks))
  }

  async seal(words: string): Promise<Bytes> {
    const made = await this.#engine.seal(this.group, utf8(words))
    await this.keep(made)
    return made.sealed
  }
}

class Walk {
  readonly #options: WalkOptions
  readonly #engine: MlsEngine
  readonly #dice: (below: number) => number
  #members: Walker[] = []
  #gone: Walker[] = []
  #named = 0
  /** A message of the epoch before, not yet read. */
  #late: { sender: Walker; sealed: Bytes } | undefined
  readonly #count = { commits: 0, messages: 0, adds: 0, removes: 0, externals: 0, references: 0, refused: 0 }

  constructor(options: WalkOptions) {
    this.#options = options
    this.#engine = options.engine
    this.#dice = diceOf(options.seed)
  }

  async run(): Promise<WalkResult> {
    const identity = await this.#identity()
    const made = await this.#engine.createGroup({ groupId: utf8(`walk ${this.#options.seed}`), identity, policy: utf8('') })
    this.#members = [new Walker(this.#engine, identity, made)]
    while (this.#count.commits < this.#options.commits) {
      const step = await this.#step()
      this.#count.commits++
      this.#agree(step)
      await this.#refuseTheGone()
      await this.#hearTheLate()
      await this.#talk()
      this.#options.report?.(`${this.#count.commits}: ${step}, ${this.#members.length} members`)
    }
    return this.#count
  }

  async #identity(): Promise<LeafIdentity> {
    return { credential: utf8(`device ${this.#named++}`), signature: await this.#engine.generateSignaturePair() }
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[this.#dice(from.length)]
    if (picked === undefined) throw new Error('walk: nothing to pick from')
    return picked
  }

  /** One commit of a kind that makes sense now. */
  async #step(): Promise<string> {
    const size = this.#members.length
    const room = this.#options.members - size
    const roll = this.#dice(100)
    if (size < 2 || (roll < 25 && room > 0)) return this.#commit({ add: 1 + this.#dice(Math.max(1, Math.min(3, room))), remove: 0 })
    if (roll < 40) return this.#commit({ add: 0, remove: 1 + this.#dice(size > 4 ? 2 : 1) })
    if (roll < 50 && room > 0) return this.#commit({ add: 1, remove: 1 })
    if (roll < 58 && room > 0) return this.#external(undefined)
    if (roll < 64) return this.#external(this.#pick(this.#members))
    if (roll < 72) return this.#commit({ add: 0, remove: 0, policy: utf8(`policy ${this.#count.commits}`) })
    if (roll < 82) return this.#byReference()
    return this.#commit({ add: 0, remove: 0 })
  }

  async #commit(wanted: { add: number; remove: number; policy?: Bytes }): Promise<string> {
    const committer = this.#pick(this.#members)
    const others = this.#members.filter((member) => member !== committer)
    const leaving: Walker[] = []
    for (let left = wanted.remove; left > 0 && others.length > leaving.length; left--) {
      leaving.push(this.#pick(others.filter((member) => !leaving.includes(member))))
    }
    const joining: { identity: LeafIdentity; keyPackage: KeyPackagePair }[] = []
    for (let left = wanted.add; left > 0; left--) {
      const identity = await this.#identity()
      const keyPackage = await this.#engine.createKeyPackage({ identity, notBefore: NOW, notAfter: NOW + 86_400n, lastResort: false })
      joining.push({ identity, keyPackage })
    }
    await this.#sendLate()
    const request: CommitRequest = {
      add: joining.map(({ keyPackage }) => keyPackage.keyPackage),
      remove: leaving.map(({ group }) => group.ownLeafIndex),
      ...(wanted.policy ? { policy: wanted.policy } : {}),
      authenticate: yes,
    }
    const made = await this.#engine.commit(committer.group, request)
    for (const member of this.#members) if (member !== committer) await member.open(made.commit)
    await committer.keep({ group: made.next, persist: made.persist })
    for (const { identity, keyPackage } of joining) {
      const { bytes } = made.welcomes.find(({ refs }) => refs.some((ref) => same(ref, keyPackage.ref))) ?? { bytes: new Uint8Array() }
      const joined = await this.#engine.join({ welcome: bytes, keyPackage, identity, authenticate: yes, now: NOW })
      this.#members.push(new Walker(this.#engine, identity, joined))
    }
    this.#dismiss(leaving)
    this.#count.adds += joining.length
    return `add ${joining.length} remove ${leaving.length}${wanted.policy ? ' policy' : ''}`
  }

  #dismiss(leaving: readonly Walker[]): void {
    for (const walker of leaving) demand(!walker.group.active, 'a removed member believes it is in')
    this.#members = this.#members.filter((member) => !leaving.includes(member))
    this.#gone = [...leaving, ...this.#gone].slice(0, 4)
    this.#count.removes += leaving.length
  }

  /** A newcomer, or a member that lost its state, joins by its own commit. */
  async #external(lost: Walker | undefined): Promise<string> {
    const helper = this.#pick(this.#members)
    const helped = await this.#engine.commit(helper.group, { authenticate: yes })
    for (const member of this.#members) if (member !== helper) await member.open(helped.commit)
    await helper.keep({ group: helped.next, persist: helped.persist })
    const identity = lost?.identity ?? (await this.#identity())
    const replaces = lost ? { replaces: lost.group.ownLeafIndex } : {}
    const joined = await this.#engine.joinExternal({ groupInfo: helped.groupInfo, identity, ...replaces, authenticate: yes })
    for (const member of this.#members) await member.open(joined.commit)
    this.#members.push(new Walker(this.#engine, identity, { group: joined.next, persist: joined.persist }))
    if (lost) this.#dismiss([lost])
    this.#count.externals++
    this.#late = undefined
    return lost ? 'resync' : 'external join'
  }

  /** Some ask for removals, somebody else commits what can stand. */
  async #byReference(): Promise<string> {
    const committer = this.#pick(this.#members)
    const leaving = new Set<Walker>()
    for (let left = 1 + this.#dice(2); left > 0; left--) {
      const proposer = this.#pick(this.#members)
      const target = this.#pick(this.#members)
      const known = proposer.group.pendingProposals.some(
        ({ by, removes }) => by.leafIndex === proposer.group.ownLeafIndex && removes === target.group.ownLeafIndex,
      )
      if (known) continue
      const made = await this.#engine.proposeRemove(proposer.group, target.group.ownLeafIndex)
      await proposer.keep(made)
      for (const member of this.#members) if (member !== proposer) await member.open(made.proposal)
      if (target !== committer) leaving.add(target)
    }
    const made = await this.#engine.commit(committer.group, { authenticate: yes })
    for (const member of this.#members) if (member !== committer) await member.open(made.commit)
    await committer.keep({ group: made.next, persist: made.persist })
    this.#dismiss([...leaving])
    this.#count.references++
    this.#late = undefined
    return `remove ${leaving.size} by reference`
  }

  /** Seals a message that is delivered after the next commit. */
  async #sendLate(): Promise<void> {
    const sender = this.#pick(this.#members)
    this.#late = { sender, sealed: await sender.seal('late') }
  }

  async #hearTheLate(): Promise<void> {
    const late = this.#late
    this.#late = undefined
    if (!late) return
    for (const member of this.#members) {
      if (member === late.sender || member.group.members.length === 1) continue
      const opened = await member.open(late.sealed).then(
        () => true,
        (error: unknown) => error instanceof MlsError && (error.reason === 'stale_epoch' ? 'newcomer' : error.reason),
      )
      demand(opened === true || opened === 'newcomer', `a late message was not opened: ${String(opened)}`)
    }
  }

  #agree(step: string): void {
    const [first, ...others] = this.#members.map(({ group }) => group)
    if (!first) return
    demand(first.members.length === this.#members.length, `${step}: the roster has the wrong size`)
    for (const other of others) {
      demand(other.epoch === first.epoch && same(other.epochAuthenticator, first.epochAuthenticator), `${step}: members disagree`)
      demand(same(other.policy, first.policy), `${step}: members disagree about the policy`)
      demand(
        other.members.every((member, at) => member.leafIndex === first.members[at]?.leafIndex),
        `${step}: members disagree about the roster`,
      )
    }
  }

  async #refuseTheGone(): Promise<void> {
    if (this.#gone.length === 0) return
    const sealed = await this.#pick(this.#members).seal('not for you')
    for (const walker of this.#gone) {
      const refused = await this.#engine.open(walker.group, sealed, hooks).then(
        () => false,
        (error: unknown) => error instanceof MlsError,
      )
      demand(refused, 'a removed member can read')
      this.#count.refused++
    }
  }

  /** A few messages, some of them never delivered. */
  async #talk(): Promise<void> {
    const sender = this.#pick(this.#members)
    for (let left = 1 + this.#dice(3); left > 0; left--) {
      const sealed = await sender.seal(`message ${this.#count.messages}`)
      const lost = left > 1 && this.#dice(4) === 0
      if (!lost) for (const member of this.#members) if (member !== sender) await member.open(sealed)
      this.#count.messages++
    }
  }
}

/** Walks; throws with the step that broke a promise. */
export const walk = (options: WalkOptions): Promise<WalkResult> => new Walk(options).run()

const main = async (): Promise<void> => {
  const option = { type: 'string' } as const
  const { values } = parseArgs({ options: { seed: option, commits: option, members: option, suite: option } })
  const engine = await createMlsEngine(values.suite ? { suite: Number(values.suite) } : {})
  const commits = Number(values.commits ?? 500)
  const report = (step: string): void => {
    if (Number.parseInt(step, 10) % 100 === 0) console.log(step)
  }
  console.log(await walk({ engine, seed: Number(values.seed ?? 1), commits, members: Number(values.members ?? 32), report }))
}

if (import.meta.main) await main()
