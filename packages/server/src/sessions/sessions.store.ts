/** Every query on sessions and exchanged refresh tokens. */
import type { AccountId, DeviceId, SessionId } from '@tacit/contract'
import type { Kysely, Selectable, Transaction } from 'kysely'
import type { Tables } from '../storage/tables.ts'

type Reader = Kysely<Tables>
type Writer = Transaction<Tables>
export type SessionRow = Selectable<Tables['session']>

export const addSession = (tx: Writer, row: SessionRow) => tx.insertInto('session').values(row).execute()

export const findByAccess = (db: Reader, hash: Uint8Array): Promise<SessionRow | undefined> =>
  db.selectFrom('session').selectAll().where('access_hash', '=', hash).executeTakeFirst()

/** Locked: of two who exchange one token the second finds that it is no longer the current one. */
export const findByRefresh = (tx: Writer, hash: Uint8Array): Promise<SessionRow | undefined> =>
  tx.selectFrom('session').selectAll().where('refresh_hash', '=', hash).forUpdate().executeTakeFirst()

/** The session whose refresh token this was before it was exchanged, and when. */
export const findBySpent = (db: Reader, hash: Uint8Array): Promise<(SessionRow & { spent_at: number }) | undefined> =>
  db
    .selectFrom('spent_refresh_token')
    .innerJoin('session', 'session.id', 'spent_refresh_token.session')
    .selectAll('session')
    .select('spent_refresh_token.spent_at')
    .where('spent_refresh_token.hash', '=', hash)
    .executeTakeFirst()

export type NewTokens = Pick<SessionRow, 'access_hash' | 'access_expires_at' | 'refresh_hash' | 'refresh_expires_at'>

/** Replaces the tokens and remembers the refresh token that was exchanged. */
export async function rotate(tx: Writer, { session, tokens, at }: { session: SessionRow; tokens: NewTokens; at: number }): Promise<void> {
  await tx.insertInto('spent_refresh_token').values({ hash: session.refresh_hash, session: session.id, spent_at: at }).execute()
  await tx
    .updateTable('session')
    .set({ ...tokens, used: 0, last_used_at: at })
    .where('id', '=', session.id)
    .execute()
}

/** Only if the access token is still the current one: a pair that came meanwhile has not been used. */
export const markUsed = (tx: Writer, { accessHash, at }: { accessHash: Uint8Array; at: number }) =>
  tx.updateTable('session').set({ used: 1, last_used_at: at }).where('access_hash', '=', accessHash).execute()

export const markProved = (tx: Writer, { session, at }: { session: SessionId; at: number }) =>
  tx.updateTable('session').set({ proved_at: at }).where('id', '=', session).execute()

export async function provedAt(db: Reader, session: SessionId): Promise<number | undefined> {
  const row = await db.selectFrom('session').select('proved_at').where('id', '=', session).executeTakeFirst()
  return row?.proved_at ?? undefined
}

export async function devicesUsedSince(db: Reader, devices: readonly DeviceId[], since: number): Promise<DeviceId[]> {
  const rows = await db.selectFrom('session').select('device').where('device', 'in', devices).where('last_used_at', '>', since).execute()
  return rows.flatMap(({ device }) => (device === null ? [] : [device]))
}

export const bind = (tx: Writer, { session, device }: { session: SessionId; device: DeviceId }) =>
  tx.updateTable('session').set({ device }).where('id', '=', session).execute()

/** Most recently used first. */
export const sessionsOf = (db: Reader, account: AccountId): Promise<SessionRow[]> =>
  db.selectFrom('session').selectAll().where('account', '=', account).orderBy('last_used_at', 'desc').orderBy('id').execute()

export const endSession = (tx: Writer, { account, session }: { account: AccountId; session: SessionId }) =>
  tx.deleteFrom('session').where('id', '=', session).where('account', '=', account).returning(['id', 'device']).execute()

export const endSessionsOfDevices = (tx: Writer, devices: readonly DeviceId[]) =>
  tx.deleteFrom('session').where('device', 'in', devices).returning('id').execute()

export const dropExpired = (tx: Writer, now: number) => tx.deleteFrom('session').where('refresh_expires_at', '<=', now).execute()

export const dropSpentBefore = (tx: Writer, time: number) => tx.deleteFrom('spent_refresh_token').where('spent_at', '<=', time).execute()
