/**
 * Copies every row of a SQLite installation into an empty PostgreSQL database, in one transaction, and compares what
 * arrived before it commits: the number of rows of each table, and a hash over all of them. It knows no table by name, so
 * none can be forgotten.
 */
import { createHash } from 'node:crypto'
import { encodeCbor, type CborValue } from '@tacit/contract'
import { sql, type Kysely, type Transaction } from 'kysely'
import type { PostgresDatabase } from '../storage/postgres/postgres-database.ts'
import type { SqliteDatabase } from '../storage/sqlite/sqlite-database.ts'
import type { Tables } from '../storage/tables.ts'

export interface CopiedTable {
  readonly name: string
  readonly rows: number
  /** SHA-256 over all rows in the order of their keys, hex. */
  readonly hash: string
}

interface Table {
  readonly name: string
  readonly columns: readonly string[]
  /** Its primary key, in order. */
  readonly key: readonly string[]
}

type Row = Readonly<Record<string, CborValue>>
type Reader = Kysely<Tables>

const PAGE = 500

/** Tables of the migration runner, which each database keeps for itself. */
const OWN_BOOKKEEPING = /^(kysely_|sqlite_)/

/** Throws, and leaves the target as it was, if it is not empty or anything arrived otherwise than it left. */
export async function copyDatabase({ from, to }: { from: SqliteDatabase; to: PostgresDatabase }): Promise<CopiedTable[]> {
  const tables = tablesOf(from)
  return to.write(async (tx) => {
    for (const table of tables) await assertEmpty(tx, table)
    const copied: CopiedTable[] = []
    for (const table of tables) {
      await copyTable(from.kysely, tx, table)
      const [left, arrived] = [await summarise(from.kysely, table), await summarise(tx, table)]
      if (left.rows !== arrived.rows || left.hash !== arrived.hash) {
        throw new Error(`The table ${table.name} did not arrive as it left: ${left.rows} rows, then ${arrived.rows}. Nothing was changed.`)
      }
      copied.push(arrived)
    }
    await moveCounters(tx)
    return copied
  })
}

/** In the order in which they were made, so that what refers to another comes after it. */
function tablesOf(from: SqliteDatabase): Table[] {
  return from.read((sqlite) => {
    const names = sqlite.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid").all()
    return names
      .map(({ name }) => String(name))
      .filter((name) => !OWN_BOOKKEEPING.test(name))
      .map((name) => {
        const columns = sqlite.prepare('SELECT name, pk FROM pragma_table_info(?)').all(name)
        const key = columns.filter(({ pk }) => Number(pk) > 0).toSorted((one, other) => Number(one['pk']) - Number(other['pk']))
        return { name, columns: columns.map((column) => String(column['name'])), key: key.map((column) => String(column['name'])) }
      })
  })
}

async function assertEmpty(tx: Transaction<Tables>, { name }: Table): Promise<void> {
  const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(tx)
  if (rows.length > 0) throw new Error(`The database is not empty: ${name} has rows. Give an empty one.`)
}

async function copyTable(from: Reader, tx: Transaction<Tables>, table: Table): Promise<void> {
  const columns = sql.join(table.columns.map((column) => sql.ref(column)))
  for await (const page of pagesOf(from, table)) {
    const rows = page.map((row) => sql`(${sql.join(table.columns.map((column) => row[column] ?? null))})`)
    await sql`insert into ${sql.table(table.name)} (${columns}) values ${sql.join(rows)}`.execute(tx)
  }
}

/** Deterministic CBOR of each row's values, in the order of columns and keys. */
async function summarise(db: Reader, table: Table): Promise<CopiedTable> {
  const hash = createHash('sha256')
  let count = 0
  for await (const page of pagesOf(db, table)) {
    for (const row of page) hash.update(encodeCbor(table.columns.map((column) => row[column] ?? null)))
    count += page.length
  }
  return { name: table.name, rows: count, hash: hash.digest('hex') }
}

async function* pagesOf(db: Reader, { name, columns, key }: Table): AsyncGenerator<Row[]> {
  const order = sql.join(key.map((column) => sql.ref(column)))
  const wanted = sql.join(columns.map((column) => sql.ref(column)))
  let last: Row | undefined
  for (;;) {
    const after = last
    const beyond = after ? sql`where (${order}) > (${sql.join(key.map((column) => after[column]))})` : sql``
    const { rows } = await sql<Row>`select ${wanted} from ${sql.table(name)} ${beyond} order by ${order} limit ${sql.lit(PAGE)}`.execute(db)
    if (rows.length > 0) yield rows
    last = rows.at(-1)
    if (rows.length < PAGE) return
  }
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
