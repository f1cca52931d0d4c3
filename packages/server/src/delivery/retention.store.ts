/** The queries of retention. */
import type { ConversationId } from '@tacit/contract'
import type { Kysely, Transaction } from 'kysely'
import type { Tables } from '../storage/tables.ts'

type Reader = Kysely<Tables>
type Writer = Transaction<Tables>

export interface LogToTrim {
  readonly conversation: ConversationId
  readonly epoch: number
  /** The furthest position that every member device has stored. */
  readonly storedByAll: number
}

export interface AgedEntry {
  readonly seq: number
  readonly time: number
}

const logs = (db: Reader) =>
  db.selectFrom('log').select(({ fn, selectFrom }) => [
    'log.conversation',
    'log.epoch',
    fn
      .coalesce(
        selectFrom('membership')
          .select(({ fn: { min } }) => min('membership.cursor').as('cursor'))
          .whereRef('membership.conversation', '=', 'log.conversation')
          .where('membership.to_seq', 'is', null),
        'log.head',
      )
      .as('storedByAll'),
  ])

/** The logs after a conversation, by id; from the first one without it. */
export const nextLogs = (db: Reader, { after, limit }: { after: ConversationId | undefined; limit: number }): Promise<LogToTrim[]> =>
  logs(db)
    .$if(after !== undefined, (query) => query.where('log.conversation', '>', after as ConversationId))
    .orderBy('log.conversation')
    .limit(limit)
    .execute()

export const logToTrim = (db: Reader, conversation: ConversationId): Promise<LogToTrim | undefined> =>
  logs(db).where('log.conversation', '=', conversation).executeTakeFirst()

export const oldestEntries = (db: Reader, conversation: ConversationId, limit: number): Promise<AgedEntry[]> =>
  db
    .selectFrom('entry')
    .select(['seq', 'time'])
    .where('conversation', '=', conversation)
    .where('bytes', 'is not', null)
    .orderBy('seq')
    .limit(limit)
    .execute()

/** Takes the bytes of all entries up to `seq`. Returns of how many. */
export async function emptyEntries(tx: Writer, conversation: ConversationId, seq: number): Promise<number> {
  // A view does not say how many rows changed.
  const emptied = await tx
    .updateTable('entry')
    .set({ bytes: null })
    .where('conversation', '=', conversation)
    .where('seq', '<=', seq)
    .where('bytes', 'is not', null)
    .returning('seq')
    .execute()
  return emptied.length
}

/**
 * Forgets emptied entries of epochs before the given one. The last entry of each device keeps its row: only with its hash
 * can a repeat be answered as before. `before`: the first entry that has its bytes, if any has, so that those behind it are not read.
 */
export const dropHashes = (
  tx: Writer,
  { conversation, epoch, before }: { conversation: ConversationId; epoch: number; before: number | undefined },
) =>
  tx
    .deleteFrom('entry')
    .where('conversation', '=', conversation)
    .$if(before !== undefined, (query) => query.where('seq', '<', before ?? 0))
    .where('bytes', 'is', null)
    .where('epoch', '<', epoch)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('membership')
            .select('membership.device')
            .whereRef('membership.conversation', '=', 'entry.conversation')
            .whereRef('membership.device', '=', 'entry.sender')
            .whereRef('membership.client_seq', '=', 'entry.client_seq'),
        ),
      ),
    )
    .execute()

/** Forgets earlier memberships that their device has read to the end, or of which no entry is left. */
export const dropPast = (tx: Writer, conversation: ConversationId) =>
  tx
    .deleteFrom('past_membership')
    .where('conversation', '=', conversation)
    .where(({ or, exists, not, selectFrom }) =>
      or([
        exists(
          selectFrom('membership')
            .select('membership.device')
            .whereRef('membership.conversation', '=', 'past_membership.conversation')
            .whereRef('membership.device', '=', 'past_membership.device')
            .whereRef('membership.cursor', '>=', 'past_membership.to_seq'),
        ),
        not(
          exists(
            selectFrom('entry')
              .select('entry.seq')
              .whereRef('entry.conversation', '=', 'past_membership.conversation')
              .whereRef('entry.seq', '>', 'past_membership.from_seq')
              .whereRef('entry.seq', '<=', 'past_membership.to_seq')
              .where('entry.bytes', 'is not', null),
          ),
        ),
      ]),
    )
    .execute()
