/**
 * Real MLS groups for tests of the rooms: each device has a seat that follows the log as a client would, enters by its
 * Welcome, and seals commits and proposals that hold. Small and classical, so that a test of sixty-four people stays a test.
 */
import { createHash } from 'node:crypto'
import { encodePolicy, fromBase64Url, type AccountId, type BodyOf, type ConversationId, type ConversationKind } from '@tacit/contract'
import { createMlsEngine, type Group, type KeyPackagePair, type MlsEngine } from '@tacit/mls'
import { ledger } from '../delivery/delivery.ts'
import type { Person } from '../identity.test-support.ts'
import type { Database } from '../storage/database.ts'
import type { Conversations } from './conversations.ts'

/** The suite of these groups. */
export const CLASSIC_SUITE = 1

const engine: MlsEngine = await createMlsEngine({ suite: CLASSIC_SUITE, treeInWelcome: false })
const yes = (): Promise<boolean> => Promise.resolve(true)

interface Seat {
  readonly group: Group
  /** Entries up to here are in the group. */
  readonly seq: number
}

export interface Change {
  readonly conversation: ConversationId
  readonly clientSeq: number
  readonly added?: readonly Person[]
  readonly removed?: readonly Person[]
  readonly policy?: Uint8Array
}

type CommitBody = BodyOf<'conversations.commit'>
type CreateBody = Parameters<Conversations['create']>[1]

interface SeatedRooms {
  readonly conversations: Conversations
  readonly database: Database
  /** Milliseconds. */
  now(): number
}

export class Seats {
  readonly #rooms: SeatedRooms
  readonly #seats = new Map<string, Seat>()
  /** Groups after own commits, by the commit's hash. */
  readonly #pending = new Map<string, Group>()
  readonly #packages = new Map<string, KeyPackagePair[]>()

  constructor(rooms: SeatedRooms) {
    this.#rooms = rooms
  }

  /** The body of a creation, with the creator seated. */
  async found(
    creator: Person,
    wanted: { conversation: ConversationId; kind?: ConversationKind; peer?: AccountId; policy?: Uint8Array },
  ): Promise<CreateBody> {
    const { conversation, kind = 'group', peer } = wanted
    const policy = wanted.policy ?? encodePolicy({ kind, admins: peer ? [creator.account, peer] : [creator.account] })
    const founded = await engine.createGroup({ groupId: idOf(conversation), identity: creator.identity, policy })
    this.#seats.set(keyOf(conversation, creator), { group: founded.group, seq: 0 })
    const [groupInfo, ratchetTree] = [owned(founded.groupInfo), owned(founded.ratchetTree)]
    return { conversation, kind, ...(peer && { peer }), groupInfo, ratchetTree }
  }

  /** A commit in the epoch that the device has caught up to. */
  async seal(by: Person, { conversation, clientSeq, added = [], removed = [], policy }: Change): Promise<CommitBody> {
    const group = await this.groupOf(conversation, by)
    const made = await engine.commit(group, {
      add: await Promise.all(added.map((person) => this.keyPackageOf(person))),
      remove: removed.map((person) => leafOf(group, person)),
      ...(policy && { policy }),
      authenticate: yes,
    })
    this.#expect(made.commit, made.next)
    const welcome = made.welcomes[0]?.bytes
    const epoch = Number(group.epoch)
    const [commit, groupInfo] = [owned(made.commit), owned(made.groupInfo)]
    return { conversation, epoch, clientSeq, commit, welcome: welcome ? owned(welcome) : null, groupInfo }
  }

  /** An external commit by the GroupInfo and tree that the server gives; `replaces` an own old leaf, or anybody's. */
  async sealJoin(by: Person, at: { conversation: ConversationId; clientSeq: number; replaces?: Person }): Promise<CommitBody> {
    const { conversation, clientSeq, replaces } = at
    const { epoch, groupInfo } = await this.#rooms.conversations.groupInfo(by, conversation)
    const { ratchetTree } = await this.#rooms.conversations.tree(by, { conversation, epoch })
    const { members } = await engine.inspectGroupInfo(groupInfo, ratchetTree)
    const door = { groupInfo, ratchetTree, identity: by.identity, authenticate: yes }
    const made = await engine.joinExternal({ ...door, ...(replaces && { replaces: leafOf({ members }, replaces) }) })
    this.#expect(made.commit, made.next)
    this.#seats.set(keyOf(conversation, by), { group: made.next, seq: Number.MAX_SAFE_INTEGER })
    return { conversation, epoch, clientSeq, commit: owned(made.commit), welcome: null, groupInfo: owned(made.groupInfo) }
  }

  /** A Remove proposal. */
  async sealProposal(
    by: Person,
    at: { conversation: ConversationId; clientSeq: number; removes: Person },
  ): Promise<BodyOf<'delivery.send'>> {
    const group = await this.groupOf(at.conversation, by)
    const { proposal } = await engine.proposeRemove(group, leafOf(group, at.removes))
    return { conversation: at.conversation, epoch: Number(group.epoch), clientSeq: at.clientSeq, bytes: owned(proposal) }
  }

  /** The group as the device knows it when it has read everything. */
  async groupOf(conversation: ConversationId, person: Person): Promise<Group> {
    const key = keyOf(conversation, person)
    const { kysely } = this.#rooms.database
    const place = await ledger.placeOf(kysely, { conversation, device: person.device })
    let seat = this.#seats.get(key)
    if (place && (!seat || seat.seq < place.fromSeq || !seat.group.active)) seat = await this.#enter(conversation, person)
    if (!seat) throw new Error('this device has no seat')
    const from = seat.seq === Number.MAX_SAFE_INTEGER ? (place?.fromSeq ?? 0) : seat.seq
    let { group } = seat
    let seq = from
    for (const entry of await ledger.entriesIn(kysely, { conversation, after: from, end: place?.head ?? from, limit: 10_000 })) {
      seq = entry.seq
      if ((entry.kind === 'commit' || entry.kind === 'proposal') && entry.epoch >= Number(group.epoch))
        group = await this.#read(group, entry.bytes)
    }
    this.#seats.set(key, { group, seq })
    return group
  }

  /** A fresh key package of somebody, whose private part stays here. */
  async keyPackageOf(person: Person): Promise<Uint8Array> {
    const now = BigInt(Math.floor(this.#rooms.now() / 1000))
    const lifetime = { notBefore: now - 60n, notAfter: now + 86_400n }
    const made = await engine.createKeyPackage({ identity: person.identity, ...lifetime, lastResort: false })
    this.#packages.set(person.device, [made, ...(this.#packages.get(person.device) ?? [])])
    return made.keyPackage
  }

  #expect(commit: Uint8Array, next: Group): void {
    this.#pending.set(hashOf(commit), next)
  }

  async #read(group: Group, bytes: Uint8Array): Promise<Group> {
    const own = this.#pending.get(hashOf(bytes))
    if (own && own.ownLeafIndex === group.ownLeafIndex) return own
    const now = BigInt(Math.floor(this.#rooms.now() / 1000))
    return (await engine.open(group, bytes, { authenticate: yes, judge: yes, now })).group
  }

  /** By the newest Welcome that waits. */
  async #enter(conversation: ConversationId, person: Person): Promise<Seat | undefined> {
    const row = await this.#rooms.database.kysely
      .selectFrom('welcome')
      .select(['bytes', 'epoch', 'seq'])
      .where('device', '=', person.device)
      .where('conversation', '=', conversation)
      .orderBy('position', 'desc')
      .executeTakeFirst()
    if (!row) return undefined
    const { ratchetTree } = await this.#rooms.conversations.tree(person, { conversation, epoch: row.epoch + 1 })
    for (const keyPackage of this.#packages.get(person.device) ?? []) {
      const request = {
        welcome: row['bytes'] as Uint8Array,
        ratchetTree,
        keyPackage,
        identity: person.identity,
        authenticate: yes,
        now: 0n,
      }
      const joined = await engine.join(request).catch(() => undefined)
      if (joined) return { group: joined.group, seq: row.seq }
    }
    throw new Error('the welcome opens with no key package of this device')
  }
}

const keyOf = (conversation: ConversationId, { device }: Person): string => conversation + device

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)

export function idOf(conversation: ConversationId): Uint8Array {
  const id = fromBase64Url(conversation)
  if (!id) throw new TypeError('expected a conversation id')
  return id
}

function leafOf({ members }: Pick<Group, 'members'>, { identity }: Person): number {
  const found = members.find((member) => Buffer.compare(member.signatureKey, identity.signature.publicKey) === 0)
  if (!found) throw new Error('this device has no leaf')
  return found.leafIndex
}
