import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openTestDatabase } from './database.test-support.ts'

/** Tables of the migration runner itself; they hold no row about anybody. */
const OWN_BOOKKEEPING = /^(kysely_|sqlite_)/

const PAGE = join(import.meta.dirname, '../../../../docs/what-the-server-knows.md')

test('what the page says the server knows is exactly what the schema can hold', async () => {
  const database = await openTestDatabase()
  const tables = await database.kysely.introspection.getTables()
  await database.close()
  const kept = tables
    .filter(({ name }) => !OWN_BOOKKEEPING.test(name))
    .flatMap(({ name, columns }) => columns.map((column) => `${name}.${column.name}`))
  expect(explained()).toEqual(kept.toSorted())
})

function explained(): string[] {
  const rows = readFileSync(PAGE, 'utf8').matchAll(/^\| +([a-z_]+) +\| +([a-z_]+) +\| [^|]{3,} \| [^|]{3,} \|$/gm)
  return [...rows].map(([, table, column]) => `${table}.${column}`).toSorted()
}
