/** Every query on the kept signals: one current value per device and conversation. */
import type { AccountId, ConversationId, DeviceId } from '@tacit/contract'
import { sql, type Kysely } from 'kysely'
import { NEXT_TX } from '../bus/written.store.ts'
import type { Bytes } from '../delivery/delivery.store.ts'
import type { KeptPosition } from '../delivery/feed.ts'
import type { Tables } from '../storage/tables.ts'

/** A receipt more or less is not worth the memory. */
const MOST_AT_ONCE = 10_000

export interface KeptSignal {
  readonly conversation: ConversationId
  readonly sender: DeviceId
  readonly epoch: number
  readonly bytes: Bytes
}

/** Kept signals of others in the device's conversations, after a position. */
export async function keptFor(
  db: Kysely<Tables>,
  device: DeviceId,
  page: { after: KeptPosition | undefined; limit: number },
): Promise<KeptSignal[]> {
  const { after, limit } = page
  const all = db
    .selectFrom('membership')
    .innerJoin('kept_signal', 'kept_signal.conversation', 'membership.conversation')
    .select(['kept_signal.conversation', 'kept_signal.device as sender', 'kept_signal.epoch', 'kept_signal.bytes'])
    .where('membership.device', '=', device)
    .where('membership.to_seq', 'is', null)
    .where('kept_signal.device', '<>', device)
    .orderBy('kept_signal.conversation')
    .orderBy('kept_signal.device')
    .limit(limit)
  const rest =
    after &&
    all.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('kept_signal.conversation', 'kept_signal.device'), '>', tuple(after.conversation, after.sender)),
    )
  const rows = await (rest ?? all).execute()
  return rows.map((row) => ({ ...row, bytes: new Uint8Array(row.bytes) }))
}

/** Kept signals that were stored by transactions from a horizon on; nothing where there is one server (written.store.ts). */
export async function keptSince(db: Kysely<Tables>, since: number): Promise<KeptSignal[]> {
  const rows = await db
    .selectFrom('kept_signal')
    .select(['conversation', 'device as sender', 'epoch', 'bytes'])
    .where('tx', '>=', since)
    .where('tx', '<', sql.raw<number>(NEXT_TX))
    .limit(MOST_AT_ONCE)
    .execute()
  return rows.map((row) => ({ ...row, bytes: new Uint8Array(row.bytes) }))
}

/** Pairs of accounts in a conversation now in which the first one keeps a signal. */
const heard = (db: Kysely<Tables>) =>
  db
    .selectFrom('membership as speaker')
    .innerJoin('kept_signal', (join) =>
      join.onRef('kept_signal.conversation', '=', 'speaker.conversation').onRef('kept_signal.device', '=', 'speaker.device'),
    )
    .innerJoin('membership as hearer', 'hearer.conversation', 'speaker.conversation')
    .where('speaker.to_seq', 'is', null)
    .where('hearer.to_seq', 'is', null)
    .whereRef('speaker.account', '<>', 'hearer.account')

/** Whom a signal that the account keeps is for. */
export async function audienceOf(db: Kysely<Tables>, account: AccountId): Promise<AccountId[]> {
  const rows = await heard(db).where('speaker.account', '=', account).select('hearer.account').distinct().execute()
  return rows.map((row) => row.account)
}

/** Who keeps one that is for the account. */
export async function heardBy(db: Kysely<Tables>, account: AccountId): Promise<AccountId[]> {
  const rows = await heard(db).where('hearer.account', '=', account).select('speaker.account').distinct().execute()
  return rows.map((row) => row.account)
}

/** Writes what a batch of senders keep; the membership is looked at again, because a signal must not outlive a removal. */
export interface SignalStore {
  keep(take: () => readonly NewKeptSignal[]): Promise<void>
}

export type NewKeptSignal = Omit<KeptSignal, 'bytes'> & { readonly bytes: Uint8Array }
