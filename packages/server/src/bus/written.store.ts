/** The queries on notices that are written down. Only PostgreSQL has several servers, so this is PostgreSQL's language. */
import { decodeCbor, encodeCbor } from '@tacit/contract'
import { sql, type Kysely, type Transaction } from 'kysely'
import type { Tables } from '../storage/tables.ts'
import { decodeNotice, encodeNotice, type Notice } from './notices.ts'
import type { Rung } from './redis.ts'

/** The running transaction as a number that grows; whoever reads again from a horizon on misses nothing. */
export const CURRENT_TX = 'pg_current_xact_id()::text::bigint'

/** Transactions that this database has not had yet: rows of such are from a backup of another one, and not new. */
export const NEXT_TX = 'pg_snapshot_xmax(pg_current_snapshot())::text::bigint'

export interface NewWritten {
  readonly id: string
  readonly at: number
  readonly notice: Notice
}

export const writeDown = (tx: Transaction<Tables>, notices: readonly NewWritten[]) =>
  tx
    .insertInto('written_notice')
    .values(notices.map(({ id, at, notice }) => ({ id, at, tx: sql.raw<number>(CURRENT_TX), bytes: encodeCbor(encodeNotice(notice)) })))
    .execute()

/**
 * What was written by transactions that had not ended when `since` was the horizon, and the horizon of now. Without `since`
 * only that.
 */
export async function readWritten(db: Kysely<Tables>, since: number | undefined): Promise<{ rung: Rung[]; horizon: number }> {
  const { rows } = await sql<{ horizon: number; id: string | null; bytes: Uint8Array | null }>`
    SELECT horizon, id, bytes FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon) now
    LEFT JOIN written_notice ON tx >= ${since ?? Number.MAX_SAFE_INTEGER}::bigint AND tx < ${sql.raw(NEXT_TX)} ORDER BY at`.execute(db)
  const rung = rows.flatMap(({ id, bytes }) => {
    const notice = bytes && decodeNotice(decodeCbor(new Uint8Array(bytes)))
    return notice && id !== null ? [{ notice, id }] : []
  })
  return { rung, horizon: rows[0]?.horizon ?? 0 }
}

export const forgetWritten = (tx: Transaction<Tables>, before: number) => tx.deleteFrom('written_notice').where('at', '<', before).execute()
