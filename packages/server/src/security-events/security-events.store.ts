/** Every query on security events. */
import type { AccountId, SecurityEventKind } from '@tacit/contract'
import type { Insertable, Kysely, Selectable, Transaction } from 'kysely'
import type { Tables } from '../storage/tables.ts'

export type SecurityEventRow = Selectable<Tables['security_event']>

export const add = (tx: Transaction<Tables>, row: Insertable<Tables['security_event']>) =>
  tx.insertInto('security_event').values(row).execute()

/** The newest one of that kind and way since then. */
export const findSince = (
  tx: Transaction<Tables>,
  { account, kind, method, since }: { account: AccountId; kind: SecurityEventKind; method: string | null; since: number },
): Promise<SecurityEventRow | undefined> =>
  tx
    .selectFrom('security_event')
    .selectAll()
    .where('account', '=', account)
    .where('kind', '=', kind)
    .where('method', method === null ? 'is' : '=', method)
    .where('at', '>', since)
    .orderBy('position', 'desc')
    .executeTakeFirst()

export const again = (tx: Transaction<Tables>, { position, times }: { position: number; times: number }) =>
  tx.updateTable('security_event').set({ times }).where('position', '=', position).execute()

export const page = (
  db: Kysely<Tables>,
  { account, before, limit }: { account: AccountId; before: number; limit: number },
): Promise<SecurityEventRow[]> =>
  db
    .selectFrom('security_event')
    .selectAll()
    .where('account', '=', account)
    .where('position', '<', before)
    .orderBy('position', 'desc')
    .limit(limit)
    .execute()

/** Keeps the account's newest. */
export async function keepNewest(tx: Transaction<Tables>, { account, most }: { account: AccountId; most: number }): Promise<void> {
  const last = await tx
    .selectFrom('security_event')
    .select('position')
    .where('account', '=', account)
    .orderBy('position', 'desc')
    .offset(most)
    .limit(1)
    .executeTakeFirst()
  if (last) await tx.deleteFrom('security_event').where('account', '=', account).where('position', '<=', last.position).execute()
}

export const dropBefore = (tx: Transaction<Tables>, time: number) => tx.deleteFrom('security_event').where('at', '<', time).execute()
