/**
 * The conversations room's front door: opening conversations, what one may see of them, commits and welcomes. A
 * conversation that is not the caller's is answered like one that does not exist.
 */
import type { DatabaseSync } from 'node:sqlite'
import {
  encodeEvent,
  Refusal,
  type AccountId,
  type BodyOf,
  type ConversationId,
  type DeviceId,
  type ResultOf,
  type RouteInput,
  type Routes,
  type WelcomeId,
} from '@tacit/contract'
import type { Mail } from '../delivery/feed.ts'
import type { OutstandingWelcomes } from '../delivery/retention.ts'
import type { SqliteDatabase } from '../storage/sqlite/sqlite-database.ts'
import { acceptCommit, type AcceptCommitDeps } from './accept-commit.ts'
import { pairOf, type CommitBody } from './commit-rule.ts'
import { ConversationsReader, ConversationsWriter } from './conversations.store.ts'
import type { Turns } from './turns.ts'

export interface ConversationsDeps extends Omit<AcceptCommitDeps, 'writer' | 'admit'> {
  readonly database: SqliteDatabase
  readonly turns: Turns
  accountExists(account: AccountId): Promise<boolean>
}

interface Caller {
  readonly account: AccountId
  readonly device: DeviceId
}

type NewConversation = RouteInput<Routes['conversations']['create']>['body']

export class Conversations {
  readonly #deps: ConversationsDeps & AcceptCommitDeps
  readonly #reader: ConversationsReader

  constructor(deps: ConversationsDeps) {
    let writer: ConversationsWriter | undefined
    this.#deps = {
      ...deps,
      writer: (sqlite: DatabaseSync) => (writer ??= new ConversationsWriter(sqlite)),
      admit: ({ sender, body }) => deps.turns.admit({ ...body, device: sender.device, now: deps.clock.now() }),
    }
    this.#reader = deps.database.read((sqlite) => new ConversationsReader(sqlite))
  }

  /** Opens at epoch 0 with the caller's device alone. Asked again by the same device it answers as before. */
  async create(caller: Caller, asked: NewConversation): Promise<{ conversation: ConversationId }> {
    const { conversation, kind, peer, groupInfo } = asked
    if ((kind === 'direct') !== (peer !== undefined) || peer === caller.account) throw new Refusal('malformed', { field: 'peer' })
    if (peer && !(await this.#deps.accountExists(peer))) throw new Refusal('not_found')
    const directPair = peer ? pairOf(caller.account, peer) : null
    const { groupCommit, ledger, clock, writer } = this.#deps
    this.#deps.assertRoom()
    const made = await groupCommit.submit((sqlite) => {
      const [store, log] = [writer(sqlite), ledger.writer(sqlite)]
      if (store.conversation(conversation)) {
        if (log.isCreator(conversation, caller.device)) return false
        throw new Refusal('already_exists')
      }
      const existing = directPair === null ? undefined : store.ofPair(directPair)
      if (existing) throw new Refusal('direct_exists', { conversation: existing.id })
      store.create({ id: conversation, kind, directPair, createdAt: clock.now() })
      store.replaceGroupInfo({ conversation, epoch: 0, bytes: groupInfo })
      log.begin(conversation)
      log.join({ conversation, ...caller, fromSeq: 0 })
      return true
    })
    if (made) this.#announceNew(caller, { conversation, kind })
    return { conversation }
  }

  /** Conversations in which the account has a device now, by id. */
  list({ account, device }: Caller, page: { after?: ConversationId | undefined; limit: number }) {
    const { reader } = this.#deps.ledger
    const ids = reader.conversationsOf({ account, after: page.after ?? '', limit: page.limit })
    return { conversations: ids.map((conversation) => this.#summary(conversation, device)) }
  }

  show(caller: Caller, conversation: ConversationId) {
    this.#expectMember(caller, conversation)
    const { reader } = this.#deps.ledger
    const clientSeq = reader.place(conversation, caller.device)?.clientSeq ?? 0
    return { ...this.#summary(conversation, caller.device), clientSeq, members: reader.members(conversation) }
  }

  /** For a device of a member account that wants to join by its own commit. */
  groupInfo(caller: Caller, conversation: ConversationId) {
    this.#expectMember(caller, conversation)
    const info = this.#reader.groupInfo(conversation)
    if (!info) throw new Refusal('not_found')
    return { epoch: info.epoch, head: info.head, groupInfo: info.bytes }
  }

  async commit({ account, device }: Caller, body: CommitBody): Promise<ResultOf<'conversations.commit'>> {
    const { turns, clock } = this.#deps
    const { conversation, epoch } = body
    try {
      const accepted = await acceptCommit(this.#deps, { sender: { account, device }, body })
      if (!accepted.duplicate) turns.accepted({ conversation, device, now: clock.now(), epoch: accepted.epoch })
      return accepted
    } catch (error) {
      if (error instanceof Refusal && error.failure === 'stale_epoch')
        turns.lost({ conversation, device, now: clock.now(), epoch: error.details.epoch ?? epoch })
      throw error
    }
  }

  /** A device would like to commit routine work; it hears when it is its turn. */
  askTurn({ device }: Pick<Caller, 'device'>, { conversation, epoch, work }: BodyOf<'turns.ask'>): void {
    const { turns, clock, ledger } = this.#deps
    const isMember = ledger.reader.place(conversation, device)?.toSeq === null
    const standing = { isMember, epoch: ledger.reader.log(conversation)?.epoch ?? 0 }
    turns.ask({ conversation, device, now: clock.now(), standing }, { epoch, work })
  }

  /** Forgets welcomes that the device has stored; those of others, or unknown ones, change nothing. */
  acknowledgeWelcomes(device: DeviceId, welcomes: readonly WelcomeId[]): Promise<void> {
    return this.#deps.groupCommit.submitUnhurried((sqlite) => {
      for (const welcome of welcomes) this.#deps.writer(sqlite).forgetWelcome(device, welcome)
    })
  }

  /** The welcomes that wait for a device, as frames. */
  readonly mail: Mail = {
    after: (device, after) => {
      const next = this.#reader.nextWelcome(device, after)
      if (!next) return undefined
      const { position, ...body } = next
      return { position, frame: encodeEvent({ name: 'conversations.welcome', body }) }
    },
  }

  /** For retention. */
  readonly outstandingWelcomes: OutstandingWelcomes = {
    dropBefore: (sqlite, { conversation, before }) => this.#deps.writer(sqlite).forgetWelcomesBefore(conversation, before),
    lowestEpoch: (sqlite, conversation) => this.#deps.writer(sqlite).lowestWelcomeEpoch(conversation),
  }

  /** Whether a device of the account would have to join: its account is in the conversation and it is not. */
  mayJoin({ account, device }: Caller, conversation: ConversationId): boolean {
    const { reader } = this.#deps.ledger
    return reader.hasMemberOf(conversation, account) && reader.place(conversation, device)?.toSeq !== null
  }

  /** The creator's socket follows the new log from now on; the account's other devices may join. */
  #announceNew({ account, device }: Caller, { conversation, kind }: Pick<NewConversation, 'conversation' | 'kind'>): void {
    this.#deps.bus.ring({ kind: 'mailbox', device })
    this.#deps.bus.ring({ kind: 'account_joined', account, conversation, conversationKind: kind })
  }

  #expectMember({ account }: Caller, conversation: ConversationId): void {
    if (!this.#deps.ledger.reader.hasMemberOf(conversation, account)) throw new Refusal('not_found')
  }

  #summary(conversation: ConversationId, device: DeviceId) {
    const row = this.#reader.conversation(conversation)
    const { reader } = this.#deps.ledger
    const log = reader.log(conversation)
    if (!row || !log) throw new Refusal('not_found')
    return { conversation, kind: row.kind, ...log, joined: reader.place(conversation, device)?.toSeq === null }
  }
}
