/**
 * The queries on logs, memberships and entries that are not hot: what goes into one transaction with other rooms' writes
 * (a commit, a new conversation), and what is read now and then. Whoever decides on what it read begins with `lockedState`.
 */
import { Refusal, type AccountId, type ConversationId, type DeviceId } from '@tacit/contract'
import type { Kysely, Transaction } from 'kysely'
import type { Tables } from '../storage/tables.ts'
import type { AppendState } from './append-rule.ts'
import {
  REPEATS_WITHIN,
  type Bytes,
  type Member,
  type NewEntry,
  type Pair,
  type Place,
  type Range,
  type StoredEntry,
} from './delivery.store.ts'

type Reader = Kysely<Tables>
type Writer = Transaction<Tables>

/** What `judgeAppend` needs; undefined when there is no such conversation. Until the transaction ends nobody else appends. */
export async function lockedState(tx: Writer, { conversation, device }: Pair): Promise<AppendState | undefined> {
  const log = await tx.selectFrom('log').select(['epoch', 'head']).where('conversation', '=', conversation).forUpdate().executeTakeFirst()
  if (!log) return undefined
  const membership = await tx
    .selectFrom('membership')
    .select(['client_seq', 'to_seq'])
    .where('conversation', '=', conversation)
    .where('device', '=', device)
    .executeTakeFirst()
  return { log, membership: membership && { active: membership.to_seq === null, clientSeq: membership.client_seq } }
}

/** The entry that used this counter, as it was answered. Refuses `out_of_order` when it is too far back, or retention has removed it. */
export async function earlier(
  db: Reader,
  at: { conversation: ConversationId; sender: DeviceId; clientSeq: number },
): Promise<{ seq: number; epoch: number; hash: Bytes }> {
  const row = await db
    .selectFrom('membership')
    .innerJoin('entry', 'entry.conversation', 'membership.conversation')
    .select(['entry.seq', 'entry.epoch', 'entry.hash'])
    .where('membership.conversation', '=', at.conversation)
    .where('membership.device', '=', at.sender)
    .where('entry.sender', '=', at.sender)
    .where('entry.client_seq', '=', at.clientSeq)
    .whereRef('entry.seq', '<=', 'membership.last_seq')
    .where('entry.seq', '>', ({ eb, ref }) => eb(ref('membership.last_seq'), '-', REPEATS_WITHIN))
    .orderBy('entry.seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (row) return { ...row, hash: new Uint8Array(row.hash) }
  const last = await db
    .selectFrom('membership')
    .select('client_seq')
    .where('conversation', '=', at.conversation)
    .where('device', '=', at.sender)
    .executeTakeFirst()
  throw new Refusal('out_of_order', { expected: (last?.client_seq ?? 0) + 1 })
}

/** Whether there is a commit at this position, as far as retention remembers. */
export async function isCommit(db: Reader, conversation: ConversationId, seq: number): Promise<boolean> {
  const row = await db
    .selectFrom('entry')
    .select('seq')
    .where('conversation', '=', conversation)
    .where('seq', '=', seq)
    .where('kind', '=', 'commit')
    .executeTakeFirst()
  return row !== undefined
}

/** Appends at head + 1 and moves the sender's counter. The caller has judged under the lock; a log of another epoch throws. */
export async function append(tx: Writer, entry: NewEntry): Promise<number> {
  const { conversation, epoch, kind, sender, clientSeq, time, hash, bytes } = entry
  const { head: seq } = await tx
    .updateTable('log')
    .set(({ eb }) => ({ head: eb('head', '+', 1) }))
    .where('conversation', '=', conversation)
    .where('epoch', '=', epoch)
    .returning('head')
    .executeTakeFirstOrThrow()
  await tx.insertInto('entry').values({ conversation, seq, epoch, kind, sender, client_seq: clientSeq, time, hash, bytes }).execute()
  await setCounter(tx, { conversation, device: sender, clientSeq, seq })
  return seq
}

/** An empty log at epoch 0. */
export const begin = (tx: Writer, conversation: ConversationId) =>
  tx.insertInto('log').values({ conversation, epoch: 0, head: 0 }).execute()

export const nextEpoch = (tx: Writer, conversation: ConversationId) =>
  tx
    .updateTable('log')
    .set(({ eb }) => ({ epoch: eb('epoch', '+', 1) }))
    .where('conversation', '=', conversation)
    .execute()

/**
 * From `fromSeq` on the device is a member. One that was before keeps its counter, and where it had not read its last membership
 * to the end, that interval too: its cursor then stays inside of it, so that nothing of it is forgotten as read.
 */
export async function join(tx: Writer, place: Pair & { account: AccountId; fromSeq: number }): Promise<void> {
  const { conversation, device, account, fromSeq } = place
  const now = { from_seq: fromSeq, to_seq: null }
  const before = await tx
    .selectFrom('membership')
    .select(['from_seq', 'to_seq', 'cursor'])
    .where('conversation', '=', conversation)
    .where('device', '=', device)
    .executeTakeFirst()
  if (!before) {
    await tx
      .insertInto('membership')
      .values({ conversation, device, account, client_seq: 0, cursor: fromSeq, ...now })
      .execute()
    return
  }
  const { from_seq, to_seq, cursor } = before
  // Taken out and in again by one commit, it was a member all along, and could not follow: there is nothing it could read.
  const unread = to_seq !== null && to_seq < fromSeq && cursor < to_seq
  if (unread) await tx.insertInto('past_membership').values({ conversation, device, account, from_seq, to_seq }).execute()
  await tx
    .updateTable('membership')
    .set({ ...now, cursor: unread ? cursor : fromSeq })
    .where('conversation', '=', conversation)
    .where('device', '=', device)
    .execute()
}

/** The first earlier membership of a device that goes beyond a position: it may read that one first. */
export const pastBeyond = (
  db: Reader,
  { conversation, device, seq }: Pair & { seq: number },
): Promise<{ fromSeq: number; toSeq: number } | undefined> =>
  db
    .selectFrom('past_membership')
    .select(['from_seq as fromSeq', 'to_seq as toSeq'])
    .where('conversation', '=', conversation)
    .where('device', '=', device)
    .where('to_seq', '>', seq)
    .orderBy('from_seq')
    .limit(1)
    .executeTakeFirst()

/** For a device whose own entry made it a member: its counter starts with that entry. */
export const setCounter = (tx: Writer, at: Pair & { clientSeq: number; seq: number }) =>
  tx
    .updateTable('membership')
    .set({ client_seq: at.clientSeq, last_seq: at.seq })
    .where('conversation', '=', at.conversation)
    .where('device', '=', at.device)
    .execute()

/** The device reads up to and including `toSeq`. */
export const leave = (tx: Writer, place: Pair & { toSeq: number }) =>
  tx
    .updateTable('membership')
    .set({ to_seq: place.toSeq })
    .where('conversation', '=', place.conversation)
    .where('device', '=', place.device)
    .where('to_seq', 'is', null)
    .execute()

/** The creator is the one device that reads from the very beginning. */
export async function isCreator(db: Reader, { conversation, device }: Pair): Promise<boolean> {
  const row = await db
    .selectFrom('membership')
    .select('device')
    .where('conversation', '=', conversation)
    .where('device', '=', device)
    .where('from_seq', '=', 0)
    .where('to_seq', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}

export async function hasMemberOf(db: Reader, conversation: ConversationId, account: AccountId): Promise<boolean> {
  const row = await db
    .selectFrom('membership')
    .select('device')
    .where('account', '=', account)
    .where('conversation', '=', conversation)
    .where('to_seq', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

const places = (db: Reader) =>
  db
    .selectFrom('membership')
    .innerJoin('log', 'log.conversation', 'membership.conversation')
    .select([
      'membership.conversation',
      'membership.account',
      'membership.from_seq as fromSeq',
      'membership.to_seq as toSeq',
      'membership.cursor',
      'membership.client_seq as clientSeq',
      'log.epoch',
      'log.head',
    ])

/** The device's place in one conversation, also when it left; undefined when it never was a member. */
export const placeOf = (db: Reader, { conversation, device }: Pair): Promise<Place | undefined> =>
  places(db).where('membership.conversation', '=', conversation).where('membership.device', '=', device).executeTakeFirst()

/** All places of a device. */
export const placesOf = (db: Reader, device: DeviceId): Promise<Place[]> => places(db).where('membership.device', '=', device).execute()

/** In order, without those that retention removed. */
export async function entriesIn(db: Reader, { conversation, after, end, limit }: Omit<Range, 'bytes'>): Promise<StoredEntry[]> {
  const rows = await db
    .selectFrom('entry')
    .select(['seq', 'epoch', 'kind', 'sender', 'client_seq as clientSeq', 'time', 'bytes'])
    .where('conversation', '=', conversation)
    .where('seq', '>', after)
    .where('seq', '<=', end)
    .where('bytes', 'is not', null)
    .orderBy('seq')
    .limit(limit)
    .execute()
  return rows.map(({ bytes, ...row }) => ({ ...row, bytes: new Uint8Array(bytes ?? []) }))
}

export const hashesIn = (
  db: Reader,
  { conversation, after, end, limit }: Omit<Range, 'bytes'>,
): Promise<{ seq: number; hash: Uint8Array }[]> =>
  db
    .selectFrom('entry')
    .select(['seq', 'hash'])
    .where('conversation', '=', conversation)
    .where('seq', '>', after)
    .where('seq', '<=', end)
    .orderBy('seq')
    .limit(limit)
    .execute()

/** Devices that are members now. */
export const membersOf = (db: Reader, conversation: ConversationId): Promise<Member[]> =>
  db
    .selectFrom('membership')
    .select(['account', 'device'])
    .where('conversation', '=', conversation)
    .where('to_seq', 'is', null)
    .orderBy('device')
    .execute()

/** Conversations in which a device of the account is a member now, by id. */
export async function conversationsOf(
  db: Reader,
  { account, after, limit }: { account: AccountId; after: ConversationId | undefined; limit: number },
): Promise<ConversationId[]> {
  const rows = await db
    .selectFrom('membership')
    .select('conversation')
    .distinct()
    .where('account', '=', account)
    .where('to_seq', 'is', null)
    .$if(after !== undefined, (query) => query.where('conversation', '>', after ?? ('' as ConversationId)))
    .orderBy('conversation')
    .limit(limit)
    .execute()
  return rows.map(({ conversation }) => conversation)
}

export const logOf = (db: Reader, conversation: ConversationId): Promise<{ epoch: number; head: number } | undefined> =>
  db.selectFrom('log').select(['epoch', 'head']).where('conversation', '=', conversation).executeTakeFirst()

/** Accounts that are in a conversation with this one now. */
const companions = (db: Reader, account: AccountId) =>
  db
    .selectFrom('membership as mine')
    .innerJoin('membership as theirs', 'theirs.conversation', 'mine.conversation')
    .select('theirs.account')
    .where('mine.account', '=', account)
    .where('mine.to_seq', 'is', null)
    .where('theirs.to_seq', 'is', null)

/** Whether both have a device in one conversation now. */
export async function share(db: Reader, account: AccountId, other: AccountId): Promise<boolean> {
  return (await companions(db, account).where('theirs.account', '=', other).limit(1).executeTakeFirst()) !== undefined
}

export async function coMembers(db: Reader, account: AccountId): Promise<AccountId[]> {
  const rows = await companions(db, account).where('theirs.account', '<>', account).distinct().execute()
  return rows.map((row) => row.account)
}
