/** What the server holds on me: every table, every row, told by the server itself. */
import { z } from 'zod'
import { limits } from './limits.ts'
import { route } from './vocabulary.ts'

const name = z.string().max(64)

export const disclosure = {
  overview: route({
    method: 'GET',
    path: '/v1/me/held',
    access: 'account',
    summary: 'The tables that hold something on me or on conversations I am in, what each column is, and how many rows there are',
    result: z.object({
      tables: z
        .array(
          z.object({
            table: name,
            rows: z.int().min(0),
            columns: z.array(z.object({ column: name, what: z.string().max(300), kept: z.string().max(300) })).max(32),
          }),
        )
        .max(64),
    }),
    status: 200,
    failures: [],
  }),
  rows: route({
    method: 'GET',
    path: '/v1/me/held/:table',
    access: 'account',
    summary: 'Rows of one of these tables, values as text in the order of its columns; bytes as their number and their beginning',
    params: z.object({ table: name }),
    query: z.strictObject({
      after: z.coerce.number().int().min(0).default(0),
      limit: z.coerce.number().int().min(1).max(limits.heldRowsPage).default(50),
    }),
    result: z.object({ rows: z.array(z.array(z.string().max(2000).nullable()).max(32)).max(limits.heldRowsPage) }),
    status: 200,
    failures: [],
  }),
}
