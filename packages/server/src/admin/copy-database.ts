/**
 * Copies every row of a SQLite installation into a PostgreSQL database, in one transaction, and compares what arrived before
 * it commits: the number of rows of each table, and a hash over all of them.
 */
import { sql, type Transaction } from 'kysely'
import type { PostgresDatabase } from '../storage/postgres/postgres-database.ts'
import type { SqliteDatabase } from '../storage/sqlite/sqlite-database.ts'
import type { Tables } from '../storage/tables.ts'
import { copyAndCompare, tablesOf, type Table, type TableSummary } from './tables.ts'

export interface CopyRequest {
  readonly from: SqliteDatabase
  readonly to: PostgresDatabase
  /** What is there already goes; without it the target must be empty. */
  readonly replace?: boolean
}

/** Throws, and leaves the target as it was, if it is not empty or anything arrived otherwise than it left. */
export async function copyDatabase({ from, to, replace = false }: CopyRequest): Promise<TableSummary[]> {
  const tables = from.read(tablesOf)
  return to.write(async (tx) => {
    if (replace) for (const { name } of tables.toReversed()) await sql`delete from ${sql.table(name)}`.execute(tx)
    for (const table of tables) await assertEmpty(tx, table)
    const copied: TableSummary[] = []
    for (const table of tables) copied.push(await copyAndCompare({ from: from.kysely, to: tx, table }))
    await moveCounters(tx)
    return copied
  })
}

async function assertEmpty(tx: Transaction<Tables>, { name }: Table): Promise<void> {
  const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(tx)
  if (rows.length > 0) throw new Error(`The database is not empty: ${name} has rows. Give an empty one.`)
}

/** What the database numbers by itself goes on after the rows that came with their numbers. */
async function moveCounters(tx: Transaction<Tables>): Promise<void> {
  for (const { name, columns } of await tx.introspection.getTables()) {
    for (const column of columns.filter(({ isAutoIncrementing }) => isAutoIncrementing)) {
      const highest = sql`(select max(${sql.ref(column.name)}) from ${sql.table(name)})`
      await sql`select setval(pg_get_serial_sequence(${name}, ${column.name}), coalesce(${highest}, 0) + 1, false)`.execute(tx)
    }
  }
}
