/**
 * Accepting a commit: compare-and-set on the epoch, and with it, in the same transaction, the new epoch, the membership
 * intervals, the welcomes and the group info. The first commit of an epoch wins; the others hear where the log stands.
 */
import type { DatabaseSync } from 'node:sqlite'
import { Refusal, type AccountId, type DeviceId, type ResultOf, type WelcomeId } from '@tacit/contract'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import { answerRepeat, sha256 } from '../delivery/accept-message.ts'
import { judgeAppend, judgeOrder, type AppendState } from '../delivery/append-rule.ts'
import type { Ledger } from '../delivery/delivery.ts'
import type { DeliveryWriter, NewEntry } from '../delivery/delivery.store.ts'
import { readClaimedHeader } from '../delivery/framing-check.ts'
import type { GroupCommit } from '../delivery/group-commit.ts'
import type { MessagingMetrics } from '../messaging-metrics.ts'
import type { Random } from '../random.ts'
import { checkDeclaration, checkRoster, kindOfCommit, type CommitBody, type CommitKind } from './commit-rule.ts'
import type { ConversationRow, ConversationsWriter } from './conversations.store.ts'

export interface AcceptCommitDeps {
  readonly groupCommit: GroupCommit
  readonly ledger: Ledger
  readonly bus: Bus
  readonly clock: Clock
  readonly random: Random
  readonly maxMembers: number
  readonly metrics: Pick<MessagingMetrics, 'accepted'>
  writer(sqlite: DatabaseSync): ConversationsWriter
  /** Throws the refusal `busy` when a commit that changes no membership has to wait for somebody. */
  admit(committing: Committing): void
  /** Throws the refusal `storage_full` when the disk is nearly full. */
  assertRoom(): void
  /** Whether the device is on its account's current list. */
  isListed(account: AccountId, device: DeviceId): Promise<boolean>
}

export interface Committing {
  readonly sender: { readonly account: AccountId; readonly device: DeviceId }
  readonly body: CommitBody
}

/** What the transaction works on: parsed, hashed, dated. */
interface Prepared extends Committing {
  readonly kind: CommitKind
  readonly entry: NewEntry
  /** Whether everyone who joins is on the current list of their account. */
  readonly listed: boolean
}

type Accepted = ResultOf<'conversations.commit'>

/** Accepts, or answers a repeat as before. Refuses by the names in the contract; nothing is consumed by a refusal. */
export async function acceptCommit(deps: AcceptCommitDeps, committing: Committing): Promise<Accepted> {
  const prepared = await prepare(deps, committing)
  const { result, conversation } = await deps.groupCommit.submit((sqlite) => commitIn(sqlite, deps, prepared))
  if (!result.duplicate) {
    deps.metrics.accepted('commit')
    announce(deps.bus, { prepared, conversation, head: result.seq })
  }
  return result
}

async function prepare(deps: AcceptCommitDeps, { sender, body }: Committing): Promise<Prepared> {
  const { conversation, epoch, clientSeq, commit: bytes } = body
  const header = readClaimedHeader({ conversation, epoch, bytes })
  if (header.contentType !== 'commit' || header.wireFormat !== 'public') throw new Refusal('unsupported')
  const kind = kindOfCommit(header.sender)
  checkDeclaration({ body, kind, sender: sender.device })
  deps.assertRoom()
  const entry = {
    conversation,
    epoch,
    kind: 'commit',
    sender: sender.device,
    clientSeq,
    time: deps.clock.now(),
    hash: sha256(bytes),
    bytes,
  } as const
  return { sender, body, kind, entry, listed: await areListed(deps, kind === 'by_joiner' ? [sender] : body.added) }
}

/**
 * Asked before the transaction, which must not wait; a device that leaves its list meanwhile has lost its session anyway.
 * Answered only inside it, to members: nobody else learns who is on a list.
 */
async function areListed({ isListed }: AcceptCommitDeps, joining: CommitBody['added']): Promise<boolean> {
  const listed = await Promise.all(joining.map(({ account, device }) => isListed(account, device)))
  return !listed.includes(false)
}

function commitIn(sqlite: DatabaseSync, deps: AcceptCommitDeps, prepared: Prepared): { result: Accepted; conversation: ConversationRow } {
  const [log, store] = [deps.ledger.writer(sqlite), deps.writer(sqlite)]
  const { sender, body, kind, entry } = prepared
  const conversation = store.conversation(body.conversation)
  const state = log.state(body.conversation, sender.device)
  if (!conversation || !state) throw new Refusal('not_found')
  if (judge(log, state, prepared) === 'repeat') {
    const { seq, hash, epoch } = answerRepeat(log, entry)
    return { result: { seq, hash, epoch: epoch + 1, duplicate: true }, conversation }
  }
  if (kind === 'by_member' && body.added.length === 0 && body.removed.length === 0) deps.admit(prepared)
  if (!prepared.listed) throw new Refusal('members_mismatch')
  checkRoster({ body, kind, sender: sender.device }, rosterOf(log, conversation, deps.maxMembers))
  const seq = write({ log, store, deps, prepared })
  return { result: { seq, hash: entry.hash, epoch: entry.epoch + 1, duplicate: false }, conversation }
}

/** A joiner needs no membership of its own, only one of its account; its counter goes on if it was here before. */
function judge(log: DeliveryWriter, state: AppendState, { body, kind, sender }: Prepared): 'repeat' | 'append' {
  const { membership } = state
  const isJoin = kind === 'by_joiner' && !(membership && body.clientSeq <= membership.clientSeq)
  if (isJoin && !log.hasMemberOf(body.conversation, sender.account)) throw new Refusal('not_found')
  const verdict = isJoin ? judgeOrder({ log: state.log, clientSeq: membership?.clientSeq ?? 0 }, body) : judgeAppend(state, body)
  if (verdict.kind === 'refuse') throw new Refusal(verdict.failure, verdict.details)
  return verdict.kind
}

const rosterOf = (log: DeliveryWriter, { id, directPair }: ConversationRow, maxMembers: number) => ({
  members: log.memberCount(id),
  maxMembers,
  directPair,
  isMember: (device: DeviceId) => log.isMember(id, device),
})

function write({
  log,
  store,
  deps,
  prepared,
}: {
  log: DeliveryWriter
  store: ConversationsWriter
  deps: AcceptCommitDeps
  prepared: Prepared
}): number {
  const { body, kind, sender, entry } = prepared
  const { conversation } = body
  const seq = log.append(entry)
  log.nextEpoch(conversation)
  for (const device of body.removed) log.leave({ conversation, device, toSeq: seq })
  for (const { account, device } of body.added) log.join({ conversation, account, device, fromSeq: seq })
  if (kind === 'by_joiner') {
    log.join({ conversation, ...sender, fromSeq: seq })
    log.setCounter({ conversation, device: sender.device, clientSeq: entry.clientSeq })
  }
  for (const { device, bytes } of body.welcomes) {
    const id = deps.random.id() as WelcomeId
    store.addWelcome({ id, device, conversation, epoch: entry.epoch, seq, createdAt: entry.time, bytes })
  }
  store.replaceGroupInfo({ conversation, epoch: entry.epoch + 1, bytes: body.groupInfo })
  return seq
}

/** After the commit is on stable storage: the log grew, and whom it concerns. */
function announce(bus: Bus, { prepared, conversation, head }: { prepared: Prepared; conversation: ConversationRow; head: number }): void {
  const { body, kind, sender } = prepared
  bus.ring({ kind: 'log', conversation: conversation.id, head })
  for (const { device } of kind === 'by_joiner' ? [sender] : body.added) bus.ring({ kind: 'mailbox', device })
  for (const account of new Set(body.added.map((member) => member.account))) {
    bus.ring({ kind: 'account_joined', account, conversation: conversation.id, conversationKind: conversation.kind })
  }
}
