/**
 * Walks of groups that we share with ts-mls (suite 1), which was written by others from the same RFC. It takes part where it
 * is correct: it joins groups in which nobody is unmerged, and it commits in PublicMessages.
 */
import { expect, test } from 'vitest'
import {
  createApplicationMessage,
  createCommit,
  decodeMlsMessage,
  defaultCapabilities,
  defaultLifetime,
  emptyPskIndex,
  encodeMlsMessage,
  generateKeyPackage,
  getCiphersuiteFromName,
  getCiphersuiteImpl,
  joinGroup,
  processMessage,
} from 'ts-mls'
import type { CiphersuiteImpl, ClientState, KeyPackage, MLSMessage, PrivateKeyPackage, Proposal } from 'ts-mls'
import { hex } from '../crypto/bytes.ts'
import { diceOf } from '../dice.ts'
import { createMlsEngine } from '../group/engine.ts'
import type { Bytes, Group, LeafIdentity, MlsEngine } from '../port.ts'
import { commit, found, join, keyPackage, receive } from './index.ts'

const NOW = BigInt(Math.floor(Date.now() / 1000))
const utf8 = (words: string): Bytes => new TextEncoder().encode(words)
const yes = (): Promise<boolean> => Promise.resolve(true)

/** What a walk asks of a member, whoever wrote it. */
interface Peer {
  readonly ours: boolean
  readonly leaf: number
  /** The epoch authenticator. */
  readonly authenticator: string
  hear(message: Bytes): Promise<Bytes | undefined>
  say(payload: Bytes): Promise<Bytes>
  commit(wanted: { add: readonly Bytes[]; remove: readonly number[] }): Promise<{ commit: Bytes; welcome: Bytes | undefined }>
}

interface Newcomer {
  readonly keyPackage: Bytes
  join(welcome: Bytes): Promise<Peer>
}

class Ours implements Peer {
  readonly ours = true
  readonly #engine: MlsEngine
  #group: Group

  constructor(engine: MlsEngine, group: Group) {
    this.#engine = engine
    this.#group = group
  }

  static async arrive(engine: MlsEngine, name: string): Promise<Newcomer> {
    const identity: LeafIdentity = { credential: utf8(name), signature: await engine.generateSignaturePair() }
    const pair = await keyPackage({
      suite: 1,
      identity,
      credential: 'basic',
      notBefore: NOW - 60n,
      notAfter: NOW + 86_400n,
      lastResort: false,
    })
    return {
      keyPackage: pair.keyPackage,
      join: async (welcome) => new Ours(engine, (await join({ welcome, keyPackage: pair, identity, authenticate: yes })).group),
    }
  }

  get leaf(): number {
    return this.#group.ownLeafIndex
  }

  get authenticator(): string {
    return hex(this.#group.epochAuthenticator)
  }

  async hear(message: Bytes): Promise<Bytes | undefined> {
    const received = await receive(this.#group, message, { authenticate: yes, judge: yes, now: NOW })
    this.#group = received.group
    return received.kind === 'message' ? received.payload : undefined
  }

  async say(payload: Bytes): Promise<Bytes> {
    const made = await this.#engine.seal(this.#group, payload)
    this.#group = made.group
    return made.sealed
  }

  async commit({ add, remove }: { add: readonly Bytes[]; remove: readonly number[] }) {
    const inline = [
      ...remove.map((leafIndex) => ({ kind: 'remove', leafIndex }) as const),
      ...add.map((encoded) => ({ kind: 'add', keyPackage: encoded }) as const),
    ]
    const made = await commit(this.#group, { framing: 'public', inline, authenticate: yes })
    this.#group = made.next
    return { commit: made.commit, welcome: made.welcomes[0]?.bytes }
  }
}

const decoded = (bytes: Bytes): MLSMessage => {
  const [message] = decodeMlsMessage(new Uint8Array(bytes), 0) ?? []
  if (!message) throw new Error('ts-mls cannot read this')
  return message
}

class Theirs implements Peer {
  readonly ours = false
  readonly #suite: CiphersuiteImpl
  #state: ClientState

  constructor(suite: CiphersuiteImpl, state: ClientState) {
    this.#suite = suite
    this.#state = state
  }

  static async arrive(suite: CiphersuiteImpl, name: string): Promise<Newcomer> {
    const made: { publicPackage: KeyPackage; privatePackage: PrivateKeyPackage } = await generateKeyPackage(
      { credentialType: 'basic', identity: new Uint8Array(utf8(name)) },
      { ...defaultCapabilities(), extensions: [], ciphersuites: [suite.name] },
      { ...defaultLifetime, notBefore: NOW - 60n, notAfter: NOW + 86_400n },
      [],
      suite,
    )
    const message = { version: 'mls10', wireformat: 'mls_key_package', keyPackage: made.publicPackage } as const
    return {
      // Without the header of an MLSMessage.
      keyPackage: new Uint8Array(encodeMlsMessage(message)).slice(4),
      join: async (bytes) => {
        const welcome = decoded(bytes)
        if (welcome.wireformat !== 'mls_welcome') throw new Error('no Welcome')
        return new Theirs(suite, await joinGroup(welcome.welcome, made.publicPackage, made.privatePackage, emptyPskIndex, suite))
      },
    }
  }

  get leaf(): number {
    return this.#state.privatePath.leafIndex
  }

  get authenticator(): string {
    return hex(this.#state.keySchedule.epochAuthenticator)
  }

  async hear(bytes: Bytes): Promise<Bytes | undefined> {
    const message = decoded(bytes)
    if (message.wireformat !== 'mls_public_message' && message.wireformat !== 'mls_private_message') throw new Error('no content')
    const done = await processMessage(message, this.#state, emptyPskIndex, () => 'accept', this.#suite)
    this.#state = done.newState
    return done.kind === 'applicationMessage' ? done.message : undefined
  }

  async say(payload: Bytes): Promise<Bytes> {
    const made = await createApplicationMessage(this.#state, new Uint8Array(payload), this.#suite)
    this.#state = made.newState
    return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage: made.privateMessage })
  }

  async commit({ add, remove }: { add: readonly Bytes[]; remove: readonly number[] }) {
    const adds = add.map((encoded): Proposal => {
      const message = decoded(Uint8Array.of(0, 1, 0, 5, ...encoded))
      if (message.wireformat !== 'mls_key_package') throw new Error('no key package')
      return { proposalType: 'add', add: { keyPackage: message.keyPackage } }
    })
    const extraProposals: Proposal[] = [...remove.map((removed): Proposal => ({ proposalType: 'remove', remove: { removed } })), ...adds]
    const made = await createCommit(
      { state: this.#state, cipherSuite: this.#suite },
      { wireAsPublicMessage: true, ratchetTreeExtension: true, extraProposals },
    )
    this.#state = made.newState
    const welcome = made.welcome && encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome: made.welcome })
    return { commit: encodeMlsMessage(made.commit), welcome }
  }
}

class Walk {
  readonly #dice: (below: number) => number
  readonly #engine: MlsEngine
  readonly #suite: CiphersuiteImpl
  #members: Peer[] = []
  #named = 0

  constructor(parts: { seed: number; engine: MlsEngine; suite: CiphersuiteImpl }) {
    this.#dice = diceOf(parts.seed)
    this.#engine = parts.engine
    this.#suite = parts.suite
  }

  #arrive(ours: boolean): Promise<Newcomer> {
    const name = `device ${this.#named++}`
    return ours ? Ours.arrive(this.#engine, name) : Theirs.arrive(this.#suite, name)
  }

  /** A group of both kinds, all added at once. */
  async begin(groupId: string): Promise<void> {
    const identity: LeafIdentity = { credential: utf8('founder'), signature: await this.#engine.generateSignaturePair() }
    const { group } = await found({ suite: 1, groupId: utf8(groupId), identity, credential: 'basic' })
    this.#members = [new Ours(this.#engine, group)]
    await this.#change(this.#pick(), await Promise.all([false, true, false, true, false].map((ours) => this.#arrive(ours))), [])
  }

  #pick(): Peer {
    const picked = this.#members[this.#dice(this.#members.length)]
    if (!picked) throw new Error('nobody')
    return picked
  }

  async #change(by: Peer, newcomers: readonly Newcomer[], leaving: readonly Peer[]): Promise<void> {
    const made = await by.commit({ add: newcomers.map((each) => each.keyPackage), remove: leaving.map(({ leaf }) => leaf) })
    const staying = this.#members.filter((member) => !leaving.includes(member))
    for (const member of staying) if (member !== by) await member.hear(made.commit)
    const { welcome } = made
    const joined = welcome ? await Promise.all(newcomers.map((each) => each.join(welcome))) : []
    this.#members = [...staying, ...joined]
    expect(new Set(this.#members.map(({ authenticator }) => authenticator)).size).toBe(1)
  }

  async step(): Promise<void> {
    const by = this.#pick()
    const others = this.#members.filter((member) => member !== by)
    const leaving = others.filter((member) => member.ours).slice(0, this.#dice(2))
    const room = this.#members.length < 10
    switch (this.#dice(4)) {
      case 0:
        return this.#change(by, room ? [await this.#arrive(true)] : [], [])
      case 1:
        return this.#change(by, [], leaving)
      case 2:
        return this.#change(by, [await this.#arrive(true)], leaving)
      default:
        return this.#change(by, [], [])
    }
  }

  async talk(): Promise<void> {
    const sender = this.#pick()
    const payload = utf8(`words ${this.#dice(1000)}`)
    const sealed = await sender.say(payload)
    for (const member of this.#members) if (member !== sender) expect(await member.hear(sealed)).toEqual(payload)
  }
}

const STEPS = Number(process.env['MLS_PEER_STEPS'] ?? 40)

test.each([1, 2, 3])(
  'a group that we share with ts-mls agrees after every step, seed %i',
  { timeout: 60_000 + 1000 * STEPS },
  async (seed) => {
    const suite = await getCiphersuiteImpl(getCiphersuiteFromName('MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519'))
    const walk = new Walk({ seed, engine: await createMlsEngine({ suite: 1 }), suite })
    await walk.begin(`shared ${seed}`)
    for (let at = 0; at < STEPS; at++) {
      await walk.step()
      await walk.talk()
    }
  },
)

test('ts-mls has defect 2: it refuses the valid tree that our test of that name makes, and a member of ours joins it', async () => {
  const suite = await getCiphersuiteImpl(getCiphersuiteFromName('MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519'))
  const engine = await createMlsEngine({ suite: 1 })
  const identity: LeafIdentity = { credential: utf8('0'), signature: await engine.generateSignaturePair() }
  const { group } = await found({ suite: 1, groupId: utf8('defect 2'), identity, credential: 'basic' })
  const zero = new Ours(engine, group)
  const arrive = (name: string) => Ours.arrive(engine, name)
  const join = (made: { welcome: Bytes | undefined }, newcomer: Newcomer): Promise<Peer> => newcomer.join(made.welcome ?? utf8(''))
  const six = await Promise.all(['1', '2', '3', '4', '5', '6'].map(arrive))
  const first = await zero.commit({ add: six.map((each) => each.keyPackage), remove: [] })
  const members: Peer[] = [zero, ...(await Promise.all(six.map((each) => join(first, each))))]
  const tell = async (by: Peer, commit: Bytes): Promise<void> => {
    for (const member of members) if (member !== by) await member.hear(commit)
  }
  const four = members[4] ?? zero
  await tell(four, (await four.commit({ add: [], remove: [] })).commit)
  const seven = await arrive('7')
  const second = await four.commit({ add: [seven.keyPackage], remove: [] })
  await tell(four, second.commit)
  members.push(await join(second, seven))
  // Zero's path sets the root anew, below which leaf 7 is unmerged at node 11 alone.
  const [theirs, ours] = [await Theirs.arrive(suite, 'Eve'), await arrive('Frank')]
  const third = await zero.commit({ add: [theirs.keyPackage, ours.keyPackage], remove: [1] })
  await expect(join(third, theirs)).rejects.toThrow('must list leaf node in its unmerged_leaves')
  expect((await join(third, ours)).authenticator).toBe(zero.authenticator)
})
