/**
 * Accepting a commit: verified first, then compare-and-set on the epoch, and with it, in the same transaction, the new epoch,
 * the membership intervals, the welcomes, the GroupInfo and the tree. The first commit of an epoch wins; the others hear where
 * the log stands. Commits of one conversation take turns, so that only one of a race is verified at all.
 */
import { Refusal, type AccountId, type ConversationId, type DeviceId, type ResultOf, type WelcomeId } from '@tacit/contract'
import type { PublicMessage } from '@tacit/mls/public'
import type { Kysely, Transaction } from 'kysely'
import type { Bells } from '../bus/bells.ts'
import type { Bus, Notice } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import { sha256 } from '../delivery/accept-message.ts'
import { judgeAppend, judgeOrder, type AppendState, type AppendVerdict } from '../delivery/append-rule.ts'
import { ledger } from '../delivery/delivery.ts'
import type { NewEntry } from '../delivery/delivery.store.ts'
import { readClaimedHeader } from '../delivery/framing-check.ts'
import type { InOrder } from '../in-order.ts'
import type { MessagingMetrics } from '../messaging-metrics.ts'
import type { Random } from '../random.ts'
import type { Database } from '../storage/database.ts'
import type { Tables } from '../storage/tables.ts'
import * as store from './conversations.store.ts'
import type { ConversationRow } from './conversations.store.ts'
import type { GroupCourt, Sender } from './group-court.ts'
import { enterEpoch } from './groups.store.ts'
import type { PublicGroups } from './public-groups.ts'
import { readCommit, verifyCommit, type CommitBody, type CommitKind, type VerifiedCommit } from './verify-commit.ts'

export interface AcceptCommitDeps {
  readonly database: Database
  readonly bells: Bells
  readonly bus: Bus
  readonly clock: Clock
  readonly random: Random
  readonly maxMembers: number
  readonly metrics: Pick<MessagingMetrics, 'accepted'>
  readonly court: GroupCourt
  readonly groups: PublicGroups
  readonly inOrder: InOrder<ConversationId>
  /** Throws the refusal `busy` when a commit that changes no membership has to wait for somebody. */
  admit(committing: Committing): void
  /** Throws the refusal `storage_full` when the disk is nearly full. */
  assertRoom(): void
}

export interface Committing {
  readonly sender: Sender
  readonly body: CommitBody
}

/** Parsed, hashed, dated. */
interface Prepared extends Committing {
  readonly kind: CommitKind
  readonly message: PublicMessage
  readonly entry: NewEntry
}

type Accepted = ResultOf<'conversations.commit'>

/** Accepts, or answers a repeat as before. Refuses by the names in the contract; nothing is consumed by a refusal. */
export async function acceptCommit(deps: AcceptCommitDeps, committing: Committing): Promise<Accepted> {
  const prepared = await prepare(deps, committing)
  return deps.inOrder.run(committing.body.conversation, async () => {
    const verified = await verifyUnlessRepeated(deps, prepared)
    const result = await deps.bells.write(async (tx, say) => {
      const committed = await commitIn(tx, deps, { prepared, verified })
      const { seq: head, duplicate } = committed.result
      if (verified && !duplicate) announce(say, { prepared, verified, ...committed })
      // The first ring may have been lost with the answer.
      else say({ kind: 'log', conversation: committing.body.conversation, head })
      return committed.result
    })
    deps.database.acknowledged({ conversation: committing.body.conversation, seq: result.seq })
    if (verified && !result.duplicate) {
      deps.groups.keep(committing.body.conversation, verified.next)
      deps.metrics.accepted('commit')
    }
    return result
  })
}

async function prepare({ assertRoom, clock }: AcceptCommitDeps, { sender, body }: Committing): Promise<Prepared> {
  const { conversation, epoch, clientSeq, commit: bytes } = body
  const header = readClaimedHeader({ conversation, epoch, bytes })
  if (header.contentType !== 'commit' || header.wireFormat !== 'public') throw new Refusal('unsupported')
  const { message, kind } = await readCommit(bytes)
  assertRoom()
  const said = { conversation, epoch, kind: 'commit', sender: sender.device, clientSeq } as const
  return { sender, body, kind, message, entry: { ...said, time: clock.now(), hash: sha256(bytes), bytes } }
}

/** Whoever may not commit here, or not now, hears it before any signature is checked; the transaction judges once more. */
async function verifyUnlessRepeated(deps: AcceptCommitDeps, prepared: Prepared): Promise<VerifiedCommit | undefined> {
  const { sender, body, kind, message } = prepared
  const { kysely } = deps.database
  const { conversation } = body
  const log = await ledger.logOf(kysely, conversation)
  if (!log) throw new Refusal('not_found')
  const place = await ledger.placeOf(kysely, { conversation, device: sender.device })
  const membership = place && { active: place.toSeq === null, clientSeq: place.clientSeq }
  const verdict = await judge(kysely, { log, membership }, prepared)
  if (verdict.kind === 'repeat') return undefined
  if (verdict.kind === 'refuse') throw new Refusal(verdict.failure, verdict.details)
  const group = await deps.groups.at(conversation)
  if (!group) throw new Refusal('unsupported', { field: 'conversation' })
  if (group.context.epoch > BigInt(body.epoch)) {
    // Another server accepted a commit between both readings.
    const { epoch = 0, head = 0 } = (await ledger.logOf(kysely, conversation)) ?? {}
    throw new Refusal('stale_epoch', { epoch, head })
  }
  const verified = await verifyCommit({ court: deps.court, group, sender, message, body, maxMembers: deps.maxMembers })
  if (kind === 'by_member' && verified.added.length === 0 && verified.removed.length === 0) deps.admit({ sender, body })
  return verified
}

/** A joiner needs no membership of its own, only one of its account; its counter goes on if it was here before. */
async function judge(db: Kysely<Tables>, state: AppendState, { sender, body, kind }: Prepared): Promise<AppendVerdict> {
  const { membership } = state
  const isJoin = kind === 'by_joiner' && !(membership && body.clientSeq <= membership.clientSeq)
  if (!isJoin) return judgeAppend(state, body)
  if (!(await ledger.hasMemberOf(db, body.conversation, sender.account))) return { kind: 'refuse', failure: 'not_found', details: {} }
  return judgeOrder({ log: state.log, clientSeq: membership?.clientSeq ?? 0 }, body)
}

interface Judged {
  readonly prepared: Prepared
  readonly verified: VerifiedCommit | undefined
}

async function commitIn(
  tx: Transaction<Tables>,
  deps: AcceptCommitDeps,
  { prepared, verified }: Judged,
): Promise<{ result: Accepted; conversation: ConversationRow }> {
  const { sender, body, entry } = prepared
  const state = await ledger.lockedState(tx, { conversation: body.conversation, device: sender.device })
  const conversation = await store.findConversation(tx, body.conversation)
  if (!conversation || !state) throw new Refusal('not_found')
  const verdict = await judge(tx, state, prepared)
  if (verdict.kind === 'refuse') throw new Refusal(verdict.failure, verdict.details)
  if (verdict.kind === 'repeat') {
    const { seq, hash, epoch } = await ledger.earlier(tx, entry)
    return { result: { seq, hash, epoch: epoch + 1, duplicate: true }, conversation }
  }
  if (!verified) throw new Error('a commit that was a repeat is none any more')
  const seq = await write(tx, deps, { prepared, verified })
  return { result: { seq, hash: entry.hash, epoch: entry.epoch + 1, duplicate: false }, conversation }
}

async function write(tx: Transaction<Tables>, { random }: AcceptCommitDeps, { prepared, verified }: Judged & { verified: VerifiedCommit }) {
  const { body, kind, sender, entry } = prepared
  const { conversation } = body
  const seq = await ledger.append(tx, entry)
  await ledger.nextEpoch(tx, conversation)
  for (const device of verified.removed) await ledger.leave(tx, { conversation, device, toSeq: seq })
  for (const { account, device } of verified.added) await ledger.join(tx, { conversation, account, device, fromSeq: seq })
  if (kind === 'by_joiner') {
    await ledger.join(tx, { conversation, ...sender, fromSeq: seq })
    await ledger.setCounter(tx, { conversation, device: sender.device, clientSeq: entry.clientSeq, seq })
  }
  const waiting = { conversation, epoch: entry.epoch, seq, createdAt: entry.time }
  const welcomes = verified.added.map(({ device, welcome }) => ({ id: random.id() as WelcomeId, device, bytes: welcome, ...waiting }))
  if (welcomes.length > 0) await store.addWelcomes(tx, welcomes)
  await enterEpoch(tx, { conversation, epoch: entry.epoch + 1, groupInfo: body.groupInfo, nodes: verified.nodes })
  return seq
}

interface Announced {
  readonly prepared: Prepared
  readonly verified: VerifiedCommit
  readonly conversation: ConversationRow
  readonly result: Accepted
}

/** The log grew, and whom it concerns. */
function announce(say: (notice: Notice) => void, { prepared, verified, conversation, result }: Announced): void {
  const { kind, sender } = prepared
  say({ kind: 'log', conversation: conversation.id, head: result.seq })
  const newcomers: readonly { device: DeviceId }[] = kind === 'by_joiner' ? [sender] : verified.added
  for (const { device } of newcomers) say({ kind: 'mailbox', device })
  for (const account of new Set<AccountId>(verified.added.map((member) => member.account))) {
    say({ kind: 'account_joined', account, conversation: conversation.id, conversationKind: conversation.kind })
  }
}
