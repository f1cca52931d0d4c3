/** Every query on links. */
import type { LinkCode } from '@tacit/contract'
import type { Kysely, Selectable, Transaction, Updateable } from 'kysely'
import type { Tables } from '../storage/tables.ts'

type Reader = Kysely<Tables>
type Writer = Transaction<Tables>
export type LinkRow = Selectable<Tables['link']>
export type LinkChange = Updateable<Tables['link']>

export const addLink = (tx: Writer, row: LinkRow) => tx.insertInto('link').values(row).execute()

export const findByCode = (db: Reader, code: LinkCode): Promise<LinkRow | undefined> =>
  db.selectFrom('link').selectAll().where('code', '=', code).executeTakeFirst()

export const findByTicket = (db: Reader, hash: Uint8Array): Promise<LinkRow | undefined> =>
  db.selectFrom('link').selectAll().where('ticket_hash', '=', hash).executeTakeFirst()

/** Until the transaction ends nobody else changes it. */
export const lockByCode = (tx: Writer, code: LinkCode): Promise<LinkRow | undefined> =>
  tx.selectFrom('link').selectAll().where('code', '=', code).forUpdate().executeTakeFirst()

/** The same by the ticket. */
export const lockByTicket = (tx: Writer, hash: Uint8Array): Promise<LinkRow | undefined> =>
  tx.selectFrom('link').selectAll().where('ticket_hash', '=', hash).forUpdate().executeTakeFirst()

export const changeLink = (tx: Writer, code: LinkCode, change: LinkChange) =>
  tx.updateTable('link').set(change).where('code', '=', code).execute()

export const dropLinksBefore = (tx: Writer, time: number) => tx.deleteFrom('link').where('expires_at', '<=', time).execute()

export async function countLinks(db: Reader): Promise<number> {
  const { count } = await db
    .selectFrom('link')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}
