/** Every query on credentials and challenges. */
import type { AccountId, UnlockId } from '@tacit/contract'
import type { Kysely, Selectable, Transaction } from 'kysely'
import type { Tables } from '../storage/tables.ts'

type Reader = Kysely<Tables>
type Writer = Transaction<Tables>
export type ChallengeRow = Selectable<Tables['challenge']>
export type PasskeyRow = Selectable<Tables['passkey_credential']>

/** In one row whether or not there is one: a row less would tell by its time that there is no password (M-28). */
export async function passwordRecordOf(db: Reader, account: AccountId): Promise<string | undefined> {
  const { record } = await db
    .selectNoFrom((from) => from.selectFrom('password_credential').select('record').where('account', '=', account).as('record'))
    .executeTakeFirstOrThrow()
  return record ?? undefined
}

export const addPassword = (tx: Writer, row: Selectable<Tables['password_credential']>) =>
  tx.insertInto('password_credential').values(row).execute()

export const dropPassword = (tx: Writer, account: AccountId) =>
  tx.deleteFrom('password_credential').where('account', '=', account).execute()

export async function passkeysOf(db: Reader, account: AccountId): Promise<string[]> {
  const rows = await db.selectFrom('passkey_credential').select('id').where('account', '=', account).orderBy('id').execute()
  return rows.map(({ id }) => id)
}

export const dropPasskey = (tx: Writer, { account, unlock }: { account: AccountId; unlock: UnlockId }) =>
  tx.deleteFrom('passkey_credential').where('account', '=', account).where('unlock', '=', unlock).execute()

export const dropPasskeys = (tx: Writer, account: AccountId) => tx.deleteFrom('passkey_credential').where('account', '=', account).execute()

export const findPasskey = (db: Reader, id: string): Promise<PasskeyRow | undefined> =>
  db.selectFrom('passkey_credential').selectAll().where('id', '=', id).executeTakeFirst()

export async function countPasskeys(db: Reader, account: AccountId): Promise<number> {
  const { count } = await db
    .selectFrom('passkey_credential')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('account', '=', account)
    .executeTakeFirstOrThrow()
  return Number(count)
}

export const addPasskey = (tx: Writer, row: PasskeyRow) => tx.insertInto('passkey_credential').values(row).execute()

export const setPasskeyCounter = (tx: Writer, { id, counter }: { id: string; counter: number }) =>
  tx.updateTable('passkey_credential').set({ counter }).where('id', '=', id).execute()

export const addChallenge = (tx: Writer, row: ChallengeRow) => tx.insertInto('challenge').values(row).execute()

/** Takes it out, so that it cannot be used again. */
export const takeChallenge = (tx: Writer, { id, purpose }: Pick<ChallengeRow, 'id' | 'purpose'>): Promise<ChallengeRow | undefined> =>
  tx.deleteFrom('challenge').where('id', '=', id).where('purpose', '=', purpose).returningAll().executeTakeFirst()

export const dropChallengesBefore = (tx: Writer, time: number) => tx.deleteFrom('challenge').where('expires_at', '<=', time).execute()

export async function countChallenges(db: Reader): Promise<number> {
  const { count } = await db
    .selectFrom('challenge')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}
