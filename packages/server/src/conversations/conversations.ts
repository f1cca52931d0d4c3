/**
 * The conversations room's front door: opening conversations, what one may see of them, commits and welcomes. A
 * conversation that is not the caller's is answered like one that does not exist.
 */
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
import { treeOfNodes } from '@tacit/mls/public'
import type { AcceptProposal } from '../delivery/accept-message.ts'
import { ledger } from '../delivery/delivery.ts'
import type { Mail } from '../delivery/feeds.ts'
import type { OutstandingWelcomes } from '../delivery/retention.ts'
import { InOrder } from '../in-order.ts'
import { acceptCommit, type AcceptCommitDeps } from './accept-commit.ts'
import { acceptProposal } from './accept-proposal.ts'
import * as store from './conversations.store.ts'
import { GroupCourt, type CourtDeps } from './group-court.ts'
import * as trees from './groups.store.ts'
import { PublicGroups } from './public-groups.ts'
import type { Turns } from './turns.ts'
import type { CommitBody } from './verify-commit.ts'
import { verifyCreation } from './verify-creation.ts'

export interface ConversationsDeps
  extends Omit<AcceptCommitDeps, 'admit' | 'court' | 'groups' | 'inOrder'>, Pick<CourtDeps, 'registry' | 'suites'> {
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

  constructor(deps: ConversationsDeps) {
    const { turns, clock } = deps
    this.#deps = {
      ...deps,
      admit: ({ sender, body }) => turns.admit({ ...body, device: sender.device, now: clock.now() }),
      court: new GroupCourt(deps),
      groups: new PublicGroups(deps.database),
      inOrder: new InOrder(),
    }
  }

  /** Opens at epoch 0 with the caller's device alone. Asked again by the same device it answers as before. */
  async create(caller: Caller, asked: NewConversation): Promise<{ conversation: ConversationId }> {
    const { conversation, kind, peer, groupInfo } = asked
    if ((kind === 'direct') !== (peer !== undefined) || peer === caller.account) throw new Refusal('malformed', { field: 'peer' })
    if (peer && !(await this.#deps.accountExists(peer))) throw new Refusal('not_found')
    const directPair = peer ? pairOf(caller.account, peer) : null
    const { bells, clock, court, groups } = this.#deps
    const { group, nodes } = await verifyCreation(court, { asked, sender: caller })
    this.#deps.assertRoom()
    const made = await bells.write(async (tx, say) => {
      if (await store.findConversation(tx, conversation)) {
        if (await ledger.isCreator(tx, { conversation, device: caller.device })) return false
        throw new Refusal('already_exists')
      }
      const existing = directPair === null ? undefined : await store.findDirect(tx, directPair)
      if (existing) throw new Refusal('direct_exists', { conversation: existing.id })
      await store.addConversation(tx, { id: conversation, kind, directPair, createdAt: clock.now() })
      await trees.enterEpoch(tx, { conversation, epoch: 0, groupInfo, nodes })
      await ledger.begin(tx, conversation)
      await ledger.join(tx, { conversation, ...caller, fromSeq: 0 })
      // The creator's socket follows the new log from now on; the account's other devices may join.
      say({ kind: 'mailbox', device: caller.device })
      say({ kind: 'account_joined', account: caller.account, conversation, conversationKind: kind })
      return true
    })
    if (made) groups.keep(conversation, group)
    return { conversation }
  }

  /** Conversations in which the account has a device now, by id. */
  async list({ account, device }: Caller, page: { after?: ConversationId | undefined; limit: number }) {
    const ids = await ledger.conversationsOf(this.#read, { account, after: page.after, limit: page.limit })
    return { conversations: await Promise.all(ids.map((conversation) => this.#summary({ conversation, device }))) }
  }

  async show(caller: Caller, conversation: ConversationId) {
    await this.#expectMember(caller, conversation)
    const pair = { conversation, device: caller.device }
    const clientSeq = (await ledger.placeOf(this.#read, pair))?.clientSeq ?? 0
    return { ...(await this.#summary(pair)), clientSeq, members: await ledger.membersOf(this.#read, conversation) }
  }

  /** For a device of a member account that wants to join by its own commit. */
  async groupInfo(caller: Caller, conversation: ConversationId) {
    await this.#expectMember(caller, conversation)
    const info = await store.groupInfoOf(this.#read, conversation)
    if (!info) throw new Refusal('not_found')
    return { epoch: info.epoch, head: info.head, groupInfo: info.bytes }
  }

  /**
   * For a device of a member account, which may join by its own commit, and for one whose welcome waits: the tree that it
   * needs. Only the current epoch's and those of waiting welcomes are kept.
   */
  async tree(caller: Caller, { conversation, epoch }: { conversation: ConversationId; epoch: number }) {
    const welcomed = await trees.welcomedInto(this.#read, conversation, epoch)
    if (!welcomed.includes(caller.device)) await this.#expectMember(caller, conversation)
    const nodes = await trees.treeOf(this.#read, conversation, epoch)
    const log = await ledger.logOf(this.#read, conversation)
    if (epoch !== log?.epoch && welcomed.length === 0) throw new Refusal('stale_epoch', { epoch: log?.epoch ?? 0, head: log?.head ?? 0 })
    return { ratchetTree: new Uint8Array(treeOfNodes(nodes)) }
  }

  /** For the delivery room. */
  readonly acceptProposal: AcceptProposal = (proposal) => acceptProposal(this.#deps, proposal)

  async commit({ account, device }: Caller, body: CommitBody): Promise<ResultOf<'conversations.commit'>> {
    const { turns } = this.#deps
    const { conversation, epoch } = body
    try {
      const accepted = await acceptCommit(this.#deps, { sender: { account, device }, body })
      if (!accepted.duplicate) turns.accepted({ conversation, device, epoch: accepted.epoch })
      return accepted
    } catch (error) {
      if (error instanceof Refusal && error.failure === 'stale_epoch')
        turns.lost({ conversation, device, epoch: error.details.epoch ?? epoch })
      throw error
    }
  }

  /** A device would like to commit routine work; it hears when it is its turn. */
  async askTurn({ device }: Pick<Caller, 'device'>, { conversation, epoch, work }: BodyOf<'turns.ask'>): Promise<void> {
    const { turns, clock } = this.#deps
    const place = await ledger.placeOf(this.#read, { conversation, device })
    const standing = { isMember: place?.toSeq === null, epoch: place?.epoch ?? 0 }
    turns.ask({ conversation, device, now: clock.now(), standing }, { epoch, work })
  }

  /** Forgets welcomes that the device has stored; those of others, or unknown ones, change nothing. */
  async acknowledgeWelcomes(device: DeviceId, welcomes: readonly WelcomeId[]): Promise<void> {
    if (welcomes.length > 0) await this.#deps.database.write((tx) => store.forgetWelcomes(tx, device, welcomes))
  }

  /** The welcomes that wait for a device, as frames. */
  readonly mail: Mail = {
    waiting: (device) => store.waitingWelcomes(this.#read, device),
    frame: async (device, position) => {
      const body = await store.welcomeAt(this.#read, device, position)
      return body && encodeEvent({ name: 'conversations.welcome', body })
    },
  }

  /** For retention. */
  readonly outstandingWelcomes: OutstandingWelcomes = {
    dropBefore: async (tx, { conversation, before }) => {
      await store.forgetWelcomesBefore(tx, conversation, before)
      await trees.pruneTree(tx, conversation)
    },
    lowestEpoch: (tx, conversation) => store.lowestWelcomeEpoch(tx, conversation),
  }

  /** Whether a device of the account would have to join: its account is in the conversation and it is not. */
  async mayJoin({ account, device }: Caller, conversation: ConversationId): Promise<boolean> {
    if (!(await ledger.hasMemberOf(this.#read, conversation, account))) return false
    return (await ledger.placeOf(this.#read, { conversation, device }))?.toSeq !== null
  }

  get #read() {
    return this.#deps.database.kysely
  }

  async #expectMember({ account }: Caller, conversation: ConversationId): Promise<void> {
    if (!(await ledger.hasMemberOf(this.#read, conversation, account))) throw new Refusal('not_found')
  }

  async #summary(pair: { conversation: ConversationId; device: DeviceId }) {
    const { conversation } = pair
    const row = await store.findConversation(this.#read, conversation)
    const log = await ledger.logOf(this.#read, conversation)
    if (!row || !log) throw new Refusal('not_found')
    return { conversation, kind: row.kind, ...log, joined: (await ledger.placeOf(this.#read, pair))?.toSeq === null }
  }
}

/** The key of a direct conversation: the same whoever of the two opens it. */
const pairOf = (account: AccountId, other: AccountId): string => [account, other].toSorted().join(' ')
