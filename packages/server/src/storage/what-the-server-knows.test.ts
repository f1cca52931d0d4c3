import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tablesOfSchema } from './database.test-support.ts'

const PAGE = join(import.meta.dirname, '../../../../docs/what-the-server-knows.md')

test('what the page says the server knows is exactly what the schema can hold', async () => {
  const tables = await tablesOfSchema()
  const kept = tables.flatMap(({ name, columns }) => columns.map((column) => `${name}.${column.name}`))
  expect(explained()).toEqual(kept.toSorted())
})

function explained(): string[] {
  const rows = readFileSync(PAGE, 'utf8').matchAll(/^\| +([a-z_]+) +\| +([a-z_]+) +\| [^|]{3,} \| [^|]{3,} \|$/gm)
  return [...rows].map(([, table, column]) => `${table}.${column}`).toSorted()
}
