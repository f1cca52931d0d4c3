/** Rows that concern a person, from any table. */
import { labelOf, type AccountId } from '@tacit/contract'
import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { Tables } from '../storage/tables.ts'
import type { Whose } from './whose.ts'

export interface Asked {
  readonly table: string
  readonly whose: Exclude<Whose, { by: 'nobody' }>
  readonly account: AccountId
}

export async function countRows(db: Kysely<Tables>, asked: Asked): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(asked.table)} where ${concerns(asked)}`.execute(
    db,
  )
  return Number(rows[0]?.count ?? 0)
}

/** Values in the order of `columns`, rows in the order of all their columns that can be compared. */
export async function readRows(
  db: Kysely<Tables>,
  { columns, after, limit, ...asked }: Asked & { columns: readonly string[]; after: number; limit: number },
): Promise<unknown[][]> {
  const listed = sql.join(columns.map((column) => sql.ref(column)))
  const { rows } = await sql<Record<string, unknown>>`
    select ${listed} from ${sql.table(asked.table)} where ${concerns(asked)} order by ${listed} limit ${limit} offset ${after}`.execute(db)
  return rows.map((row) => columns.map((column) => row[column]))
}

function concerns({ whose: { by, column }, account }: Asked): RawBuilder<boolean> {
  const at = sql.ref(column)
  switch (by) {
    case 'account':
      return sql`${at} = ${account}`
    case 'device':
      return sql`${at} in (select id from device where account = ${account})`
    case 'session':
      return sql`${at} in (select id from session where account = ${account})`
    case 'conversation':
      return sql`${at} in (select conversation from membership where account = ${account})`
    case 'label':
      return sql`${at} = ${labelOf(account)}`
  }
}
