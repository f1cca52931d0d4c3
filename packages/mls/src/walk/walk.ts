/**
 * Random walks: a seeded group of members that add, remove, update, resync, re-initialise, talk out of order and forget. After
 * every commit all agree on the epoch, trees and keys are as RFC 9420 wants them, the removed are deaf, storage gives back
 * what memory has, and second opinions come to the same result. `main.ts` walks from the command line.
 */
import { equal, hex, text } from '../crypto/bytes.ts'
import { diceOf } from '../dice.ts'
import { createMlsEngine } from '../group/engine.ts'
import type { Bytes } from '../port.ts'
import type { Framing, Wanted } from '../protocol/index.ts'
import { Company } from './company.ts'
import { expectOwnKeys, expectSoundTree } from './invariants.ts'
import { demand, PATIENCE, refusalOf } from './walker.ts'
import type { Engines, Walker } from './walker.ts'
import { Witnesses } from './witnesses.ts'

export interface WalkOptions {
  /** Ciphersuite number: 1 or the hybrid one, which are those that the second opinion knows. */
  readonly suite: number
  readonly seed: number
  readonly commits: number
  /** The group grows to at most this many. */
  readonly members: number
  /** Told after every commit. */
  readonly report?: (walked: { readonly commits: number; readonly members: number }) => void
}

/** What a walk did; it throws when a promise is broken. */
export interface WalkResult {
  readonly commits: number
  /** Steps by kind. */
  readonly steps: Readonly<Record<StepKind, number>>
  readonly messages: { readonly sent: number; readonly opened: number; readonly late: number; readonly refused: number }
  /** Attempts of removed members that were refused. */
  readonly locked: number
  /** What second opinions confirmed. */
  readonly confirmed: { readonly commits: number; readonly joins: number; readonly messages: number }
  readonly largest: number
}

const KINDS = [
  'add',
  'remove',
  'add and remove',
  'update',
  'proposed updates and removals',
  'external psk',
  'resumption psk',
  'group context',
  'external join',
  'resync',
  'reinit',
] as const
type StepKind = (typeof KINDS)[number]

/** Of a hundred steps, how many are of each kind. */
const CHANCES: Readonly<Record<StepKind, number>> = {
  add: 19,
  remove: 14,
  'add and remove': 10,
  update: 14,
  'proposed updates and removals': 12,
  'external psk': 6,
  'resumption psk': 6,
  'group context': 7,
  'external join': 5,
  resync: 5,
  reinit: 2,
}

const FRAMINGS: readonly Framing[] = ['public', 'private']

class Walk {
  readonly #options: WalkOptions
  readonly #dice: (below: number) => number
  readonly #company: Company
  readonly #witnesses = new Witnesses()
  /** A message of the epoch before, not yet read. */
  #late: { readonly sender: Walker; readonly sealed: Bytes; readonly epoch: bigint } | undefined
  readonly #steps: Record<StepKind, number> = { ...CHANCES }
  readonly #count = { commits: 0, locked: 0, largest: 1 }
  readonly #messages = { sent: 0, opened: 0, late: 0, refused: 0 }

  constructor(options: WalkOptions, engines: Engines) {
    this.#options = options
    this.#dice = diceOf(options.seed)
    this.#company = new Company({ engines, dice: this.#dice, witnesses: this.#witnesses })
    for (const kind of KINDS) this.#steps[kind] = 0
  }

  async run(): Promise<WalkResult> {
    await this.#company.found(text(`walk ${this.#options.seed}`))
    while (this.#count.commits < this.#options.commits) {
      const kind = this.#choose()
      await this.#step(kind)
      this.#steps[kind]++
      await this.#agree(kind)
      await this.#refuseTheGone()
      await this.#hearTheLate()
      await this.#talk()
      this.#options.report?.({ commits: this.#count.commits, members: this.#members.length })
    }
    return { ...this.#count, steps: this.#steps, messages: this.#messages, confirmed: this.#witnesses.confirmed }
  }

  get #members(): readonly Walker[] {
    return this.#company.members
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[this.#dice(from.length)]
    demand(picked !== undefined, 'nothing to pick from')
    return picked
  }

  /** A kind of step that makes sense now. */
  #choose(): StepKind {
    const room = this.#options.members - this.#members.length
    if (this.#members.length < 2) return 'add'
    for (;;) {
      let roll = this.#dice(100)
      const kind = KINDS.find((each) => (roll -= CHANCES[each]) < 0) ?? 'update'
      if (room > 0 || (kind !== 'add' && kind !== 'external join')) return kind
    }
  }

  async #step(kind: StepKind): Promise<void> {
    const by = this.#pick(this.#members)
    const door = this.#pick(['port', 'port', ...FRAMINGS] as const)
    const framing = this.#pick(FRAMINGS)
    const room = this.#options.members - this.#members.length
    this.#count.commits++
    // The end of a group is the end of its messages too.
    if (kind !== 'reinit') await this.#sendLate()
    switch (kind) {
      case 'reinit':
        this.#count.commits++
        return this.#company.startAgain(by, {
          groupId: text(`walk after ${this.#count.commits}`),
          proposer: this.#pick(this.#members),
          framing,
        })
      case 'proposed updates and removals':
        return this.#byReference(by, framing)
      case 'external join':
        return this.#company.enter(by)
      case 'resync':
        return this.#company.enter(by, this.#pick(this.#members))
      case 'external psk':
        return this.#company.change({
          by,
          others: [this.#externalPsk()],
          add: await this.#arrive(Math.min(room, this.#dice(2))),
          door: framing,
        })
      case 'resumption psk':
        return this.#company.change({
          by,
          others: [this.#resumptionPsk(by), ...(this.#dice(2) === 0 ? [this.#externalPsk()] : [])],
          door: framing,
        })
      case 'group context':
        return this.#company.change({ by, policy: text(`policy ${this.#count.commits}`), door: 'port' })
      case 'add':
        return this.#company.change({ by, add: await this.#arrive(1 + this.#dice(Math.max(1, Math.min(3, room)))), door })
      case 'remove':
        return this.#company.change({ by, leaving: this.#others(by, 1 + this.#dice(2)), door })
      case 'add and remove':
        return this.#company.change({ by, leaving: this.#others(by, 1), add: await this.#arrive(1), door })
      case 'update':
        return this.#company.change({ by, door })
    }
  }

  #arrive(count: number) {
    return this.#company.newcomers(count)
  }

  /** Up to so many members, none of them twice. */
  #others(but: Walker, count: number): Walker[] {
    const chosen: Walker[] = []
    while (chosen.length < Math.min(count, this.#members.length - 1)) {
      const picked = this.#pick(this.#members)
      if (picked !== but && !chosen.includes(picked)) chosen.push(picked)
    }
    return chosen
  }

  #externalPsk(): Wanted {
    return { kind: 'psk', psk: { kind: 'external', id: text(`psk ${this.#dice(3)}`) } }
  }

  /** The resumption key of this epoch, or of the one before when everybody was there. */
  #resumptionPsk({ group: { groupId, epoch } }: Walker): Wanted {
    const everybody = this.#members.every((member) => member.resumptionOf(groupId, epoch - 1n))
    const of = everybody && this.#dice(2) === 0 ? epoch - 1n : epoch
    return { kind: 'psk', psk: { kind: 'resumption', usage: 'application', groupId, epoch: of } }
  }

  /** Some ask for updates, removals and PSKs; somebody else commits what can stand. */
  async #byReference(by: Walker, framing: Framing): Promise<void> {
    const leaving = new Set<Walker>()
    const asked = new Set<string>()
    for (let left = 1 + this.#dice(4); left > 0; left--) {
      const proposer = this.#pick(this.#members)
      const target = this.#pick(this.#members)
      const wanted = this.#pick(['remove', 'update', 'psk'] as const)
      const once = `${wanted} ${proposer.leaf} ${wanted === 'remove' ? target.leaf : ''}`
      if (asked.has(once)) continue
      asked.add(once)
      if (wanted === 'psk') await this.#company.propose(proposer, this.#externalPsk(), framing)
      else if (wanted === 'update') await this.#company.propose(proposer, { kind: 'update' }, framing)
      else {
        await this.#company.propose(proposer, { kind: 'remove', leafIndex: target.leaf }, framing)
        if (target !== by) leaving.add(target)
      }
    }
    await this.#company.change({ by, door: framing, dismissed: [...leaving] })
  }

  /** Seals a message that is delivered after the next commit. */
  async #sendLate(): Promise<void> {
    const sender = this.#pick(this.#members)
    this.#late = { sender, sealed: await sender.seal('late'), epoch: sender.group.epoch }
    this.#messages.sent++
  }

  async #hearTheLate(): Promise<void> {
    const late = this.#late
    this.#late = undefined
    if (!late) return
    for (const member of this.#members) {
      if (member === late.sender) continue
      const refusal = await refusalOf(member.hear(late.sealed, this.#pick(['port', 'protocol'])))
      const newcomer = !member.resumptionOf(member.group.groupId, late.epoch)
      demand(refusal === (newcomer ? 'stale_epoch' : undefined), `a late message ended as ${refusal ?? 'opened'}`)
      this.#messages.late += newcomer ? 0 : 1
    }
  }

  async #agree(kind: StepKind): Promise<void> {
    const [first, ...others] = this.#members
    demand(first !== undefined, 'nobody is left')
    demand(first.group.members.length === this.#members.length, `${kind}: the roster has the wrong size`)
    const roster = rosterOf(first)
    for (const { group } of others) {
      demand(group.epoch === first.group.epoch, `${kind}: members are in different epochs`)
      demand(equal(group.epochAuthenticator, first.group.epochAuthenticator), `${kind}: members disagree`)
    }
    demand(
      others.every((other) => rosterOf(other) === roster),
      `${kind}: members disagree about roster or policy`,
    )
    this.#witnesses.compare(this.#members)
    expectSoundTree(this.#pick(this.#members).group)
    for (let left = 3; left > 0; left--) await expectOwnKeys(this.#pick(this.#members).group)
    this.#count.largest = Math.max(this.#count.largest, this.#members.length)
  }

  /** What members say now is for members: whoever was removed cannot open it, with what it is told or with what it kept. */
  async #refuseTheGone(): Promise<void> {
    if (this.#company.gone.length === 0) return
    const sealed = await this.#tellAll(this.#pick(this.#members), 'for members')
    for (const { walker, before } of this.#company.gone) {
      for (const group of [walker.group, before]) {
        const refusal = await refusalOf(this.#company.tryToOpen(group, sealed))
        demand(refusal !== undefined, 'a removed member can read')
        this.#count.locked++
      }
    }
  }

  async #tellAll(sender: Walker, words: string): Promise<Bytes> {
    const sealed = await sender.seal(words)
    this.#messages.sent++
    this.#witnesses.hear(sealed, undefined, text(words))
    for (const member of this.#members) {
      if (member === sender) continue
      const heard = await member.hear(sealed, this.#pick(['port', 'protocol']))
      demand(heard !== undefined && equal(heard, text(words)), 'a member read other words')
      this.#messages.opened++
    }
    return sealed
  }

  /** A few messages, of which each member gets some, in its own order, and some twice. */
  async #talk(): Promise<void> {
    const sender = this.#pick(this.#members)
    const sent: { words: string; sealed: Bytes }[] = []
    for (let left = 1 + this.#dice(4); left > 0; left--) {
      const words = `message ${this.#messages.sent++}`
      const sealed = await sender.seal(words)
      this.#witnesses.hear(sealed, undefined, text(words))
      sent.push({ words, sealed })
    }
    for (const member of this.#members) if (member !== sender) await this.#listen(member, sent)
  }

  async #listen(member: Walker, sent: readonly { words: string; sealed: Bytes }[]): Promise<void> {
    demand(sent.length <= PATIENCE, 'more was sent than a patient member keeps keys for')
    let newest = -1
    const opened = new Set<number>()
    for (let left = sent.length; left > 0; left--) {
      const at = this.#dice(sent.length)
      const message = sent[at]
      demand(message !== undefined, 'no such message')
      // Patient members keep the keys of what they skipped; the others have forgotten it, and nobody opens anything twice.
      const readable = !opened.has(at) && (at > newest || member.patient)
      const door = this.#pick(['port', 'protocol'] as const)
      if (!readable) {
        demand((await refusalOf(member.hear(message.sealed, door))) === 'duplicate', 'a consumed key was used again')
        this.#messages.refused++
        continue
      }
      const heard = await member.hear(message.sealed, door)
      demand(heard !== undefined && equal(heard, text(message.words)), 'a member read other words')
      this.#messages.opened++
      opened.add(at)
      newest = Math.max(newest, at)
    }
  }
}

const rosterOf = ({ group }: Walker): string =>
  [hex(group.policy), ...group.members.map(({ leafIndex, signatureKey }) => `${leafIndex} ${hex(signatureKey)}`)].join()

/** Walks; throws with the promise that was broken. */
export const walk = async (options: WalkOptions): Promise<WalkResult> => {
  const { suite } = options
  const engines = { strict: await createMlsEngine({ suite }), patient: await createMlsEngine({ suite, skippedKeys: PATIENCE }) }
  return new Walk(options, engines).run()
}
