import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { openDatabase } from './database.ts'

/** Tables of the migration runner itself; they hold no row about anybody. */
const OWN_BOOKKEEPING = /^(kysely_|sqlite_)/

const PAGE = join(import.meta.dirname, '../../../../docs/what-the-server-knows.md')

test('what the page says the server knows is exactly what the schema can hold', async () => {
  const database = await openDatabase({ path: ':memory:' })
  const kept = database.read(columns)
  await database.close()
  expect(explained()).toEqual(kept)
})

function columns(sqlite: DatabaseSync): string[] {
  const tables = sqlite.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all()
  return tables
    .map((table) => String(table['name']))
    .filter((name) => !OWN_BOOKKEEPING.test(name))
    .flatMap((name) =>
      sqlite
        .prepare(`SELECT name FROM pragma_table_info(?)`)
        .all(name)
        .map((column) => `${name}.${String(column['name'])}`),
    )
    .toSorted()
}

function explained(): string[] {
  const rows = readFileSync(PAGE, 'utf8').matchAll(/^\| +([a-z_]+) +\| +([a-z_]+) +\| [^|]{3,} \| [^|]{3,} \|$/gm)
  return [...rows].map(([, table, column]) => `${table}.${column}`).toSorted()
}
