/**
 * Accepting a commit: compare-and-set on the epoch, and with it, in the same transaction, the new epoch, the membership
 * intervals, the welcomes and the group info. The first commit of an epoch wins; the others hear where the log stands.
 */
import { Refusal, type AccountId, type DeviceId, type ResultOf, type WelcomeId } from '@tacit/contract'
import type { Transaction } from 'kysely'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import { sha256 } from '../delivery/accept-message.ts'
import { judgeAppend, judgeOrder, type AppendState } from '../delivery/append-rule.ts'
import { ledger } from '../delivery/delivery.ts'
import type { NewEntry } from '../delivery/delivery.store.ts'
import { readClaimedHeader } from '../delivery/framing-check.ts'
import type { MessagingMetrics } from '../messaging-metrics.ts'
import type { Random } from '../random.ts'
import type { Database } from '../storage/database.ts'
import type { Tables } from '../storage/tables.ts'
import { checkDeclaration, checkRoster, kindOfCommit, type CommitBody, type CommitKind } from './commit-rule.ts'
import * as store from './conversations.store.ts'
import type { ConversationRow } from './conversations.store.ts'

export interface AcceptCommitDeps {
  readonly database: Database
  readonly bus: Bus
  readonly clock: Clock
  readonly random: Random
  readonly maxMembers: number
  readonly metrics: Pick<MessagingMetrics, 'accepted'>
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
  const { result, conversation } = await deps.database.write((tx) => commitIn(tx, deps, prepared))
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

async function commitIn(
  tx: Transaction<Tables>,
  deps: AcceptCommitDeps,
  prepared: Prepared,
): Promise<{ result: Accepted; conversation: ConversationRow }> {
  const { sender, body, kind, entry } = prepared
  const state = await ledger.lockedState(tx, { conversation: body.conversation, device: sender.device })
  const conversation = await store.findConversation(tx, body.conversation)
  if (!conversation || !state) throw new Refusal('not_found')
  if ((await judge(tx, state, prepared)) === 'repeat') {
    const { seq, hash, epoch } = await ledger.earlier(tx, entry)
    return { result: { seq, hash, epoch: epoch + 1, duplicate: true }, conversation }
  }
  if (kind === 'by_member' && body.added.length === 0 && body.removed.length === 0) deps.admit(prepared)
  if (!prepared.listed) throw new Refusal('members_mismatch')
  checkRoster({ body, kind, sender: sender.device }, await rosterOf(tx, conversation, deps.maxMembers))
  const seq = await write(tx, deps, prepared)
  return { result: { seq, hash: entry.hash, epoch: entry.epoch + 1, duplicate: false }, conversation }
}

/** A joiner needs no membership of its own, only one of its account; its counter goes on if it was here before. */
async function judge(tx: Transaction<Tables>, state: AppendState, { body, kind, sender }: Prepared): Promise<'repeat' | 'append'> {
  const { membership } = state
  const isJoin = kind === 'by_joiner' && !(membership && body.clientSeq <= membership.clientSeq)
  if (isJoin && !(await ledger.hasMemberOf(tx, body.conversation, sender.account))) throw new Refusal('not_found')
  const verdict = isJoin ? judgeOrder({ log: state.log, clientSeq: membership?.clientSeq ?? 0 }, body) : judgeAppend(state, body)
  if (verdict.kind === 'refuse') throw new Refusal(verdict.failure, verdict.details)
  return verdict.kind
}

async function rosterOf(tx: Transaction<Tables>, { id, directPair }: ConversationRow, maxMembers: number) {
  const members = new Set((await ledger.membersOf(tx, id)).map(({ device }) => device))
  return { members: members.size, maxMembers, directPair, isMember: (device: DeviceId) => members.has(device) }
}

async function write(tx: Transaction<Tables>, { random }: AcceptCommitDeps, { body, kind, sender, entry }: Prepared): Promise<number> {
  const { conversation } = body
  const seq = await ledger.append(tx, entry)
  await ledger.nextEpoch(tx, conversation)
  for (const device of body.removed) await ledger.leave(tx, { conversation, device, toSeq: seq })
  for (const { account, device } of body.added) await ledger.join(tx, { conversation, account, device, fromSeq: seq })
  if (kind === 'by_joiner') {
    await ledger.join(tx, { conversation, ...sender, fromSeq: seq })
    await ledger.setCounter(tx, { conversation, device: sender.device, clientSeq: entry.clientSeq })
  }
  const waiting = { conversation, epoch: entry.epoch, seq, createdAt: entry.time }
  const welcomes = body.welcomes.map(({ device, bytes }) => ({ id: random.id() as WelcomeId, device, bytes, ...waiting }))
  if (welcomes.length > 0) await store.addWelcomes(tx, welcomes)
  await store.replaceGroupInfo(tx, { conversation, epoch: entry.epoch + 1, bytes: body.groupInfo })
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
