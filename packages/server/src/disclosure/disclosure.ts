/**
 * The front door of disclosure: what the server holds on a person, straight from its tables. What the columns are is told in
 * the words of docs/what-the-server-knows.md, which a test holds against the schema.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal, type AccountId, type Routes } from '@tacit/contract'
import { z } from 'zod'
import type { RoomHandlers } from '../gateway/caller.ts'
import type { Limits } from '../gateway/limits.ts'
import type { Database } from '../storage/database.ts'
import * as store from './disclosure.store.ts'
import { whose, type Whose } from './whose.ts'

const Columns = z.record(z.string(), z.array(z.strictObject({ column: z.string(), what: z.string(), kept: z.string() })))

/** Bytes that are shown of a value; they are ciphertext and hashes, and their number says more. */
const SHOWN_BYTES = 24
const LONGEST_VALUE = 2000

export function disclosureHandlers({ database, limits }: { database: Database; limits: Limits }): RoomHandlers<Routes['disclosure']> {
  const columns = Columns.parse(JSON.parse(readFileSync(join(import.meta.dirname, 'columns.json'), 'utf8')))
  const askedOf = (table: string, account: AccountId): store.Asked & { readonly columns: readonly string[] } => {
    const found: Whose | undefined = new Map<string, Whose>(Object.entries(whose)).get(table)
    if (!found || found.by === 'nobody') throw new Refusal('not_found')
    return { table, whose: found, account, columns: (columns[table] ?? []).map(({ column }) => column) }
  }
  return {
    async overview({ caller }) {
      await limits.spend('held', caller.account)
      const personal = Object.entries(whose).flatMap(([table, { by }]) => (by === 'nobody' ? [] : [table]))
      const tables = personal.map(async (table) => ({
        table,
        rows: await store.countRows(database.kysely, askedOf(table, caller.account)),
        columns: columns[table] ?? [],
      }))
      return { tables: await Promise.all(tables) }
    },
    async rows({ params, query, caller }) {
      await limits.spend('held', caller.account)
      const rows = await store.readRows(database.kysely, { ...askedOf(params.table, caller.account), ...query })
      return { rows: rows.map((row) => row.map(asText)) }
    },
  }
}

function asText(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value.slice(0, LONGEST_VALUE)
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (!(value instanceof Uint8Array)) throw new TypeError('a column of an unknown kind')
  const beginning = Buffer.from(value.subarray(0, SHOWN_BYTES)).toString('hex')
  return `${value.length} bytes: ${beginning}${value.length > SHOWN_BYTES ? '…' : ''}`
}
