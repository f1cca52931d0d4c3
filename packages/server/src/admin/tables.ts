/** The tables of an installation, none of them known by name, so that none can be forgotten: what is in them, and copying it. */
import { createHash } from 'node:crypto'
import type { SqliteConnection } from '../storage/sqlite/engine.ts'
import { encodeCbor, type CborValue } from '@tacit/contract'
import { sql, type Kysely, type Transaction } from 'kysely'
import type { Tables } from '../storage/tables.ts'

export interface Table {
  readonly name: string
  readonly columns: readonly string[]
  /** Its primary key, in order. */
  readonly key: readonly string[]
}

export interface TableSummary {
  readonly name: string
  readonly rows: number
  /** SHA-256 over all rows in the order of their keys, hex. */
  readonly hash: string
}

type Row = Readonly<Record<string, CborValue>>
type Reader = Kysely<Tables>

const PAGE = 500

/** Tables of the migration runner, which each database keeps for itself, and of a backup. */
const OWN_BOOKKEEPING = /^(kysely_|sqlite_|tacit_backup)/

/**
 * In the order in which they were made, so that what refers to another comes after it. A view is the table that other databases have:
 * what it shows is in tables whose names begin with its own, and its key is that of its `_place`.
 */
export function tablesOf(sqlite: SqliteConnection): Table[] {
  const all = sqlite.prepare("SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY rowid").all()
  const views = all.filter(({ type }) => type === 'view').map(({ name }) => String(name))
  return all
    .map(({ name }) => String(name))
    .filter((name) => !OWN_BOOKKEEPING.test(name) && !views.some((view) => name.startsWith(`${view}_`)))
    .map((name) => ({
      name,
      columns: columnsOf(sqlite, name).map((column) => column.name),
      key: columnsOf(sqlite, views.includes(name) ? `${name}_place` : name)
        .filter(({ inKey }) => inKey > 0)
        .toSorted((one, other) => one.inKey - other.inKey)
        .map((column) => column.name),
    }))
}

/** `inKey`: which place it has in the primary key, from 1; 0 when it has none. */
const columnsOf = (sqlite: SqliteConnection, table: string): { name: string; inKey: number }[] =>
  sqlite
    .prepare('SELECT name, pk FROM pragma_table_info(?)')
    .all(table)
    .map(({ name, pk }) => ({ name: String(name), inKey: Number(pk) }))

/** Rows keep the numbers that they have. */
export async function copyTable(from: Reader, tx: Transaction<Tables>, table: Table): Promise<void> {
  const columns = sql.join(table.columns.map((column) => sql.ref(column)))
  for await (const page of pagesOf(from, table)) {
    const rows = page.map((row) => sql`(${sql.join(table.columns.map((column) => row[column] ?? null))})`)
    await sql`insert into ${sql.table(table.name)} (${columns}) values ${sql.join(rows)}`.execute(tx)
  }
}

/** Deterministic CBOR of each row's values, in the order of columns and keys: the same on every database. */
export async function summarise(db: Reader, table: Table): Promise<TableSummary> {
  const hash = createHash('sha256')
  let count = 0
  for await (const page of pagesOf(db, table)) {
    for (const row of page) hash.update(encodeCbor(table.columns.map((column) => row[column] ?? null)))
    count += page.length
  }
  return { name: table.name, rows: count, hash: hash.digest('hex') }
}

/** Copies, and compares what left with what arrived. Throws a sentence when they differ. */
export async function copyAndCompare({ from, to, table }: { from: Reader; to: Transaction<Tables>; table: Table }): Promise<TableSummary> {
  await copyTable(from, to, table)
  const [left, arrived] = [await summarise(from, table), await summarise(to, table)]
  if (left.rows === arrived.rows && left.hash === arrived.hash) return arrived
  throw new Error(`The table ${table.name} did not arrive as it left: ${left.rows} rows, then ${arrived.rows}. Nothing was changed.`)
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
