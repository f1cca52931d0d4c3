/** Prints what the server holds on this account. */
import type { SignedInContext } from '../context.ts'
import { CliFailure } from '../failures.ts'

/** All tables with their number of rows; or every row of one. */
export async function known({ device, voice }: SignedInContext, { table }: { readonly table: string | undefined }): Promise<void> {
  const tables = await device.held()
  if (table === undefined)
    return voice.answer({ json: tables, lines: tables.map((one) => `${String(one.rows).padStart(7)}  ${one.table}`) })
  const found = tables.find((one) => one.table === table)
  if (!found) throw new CliFailure('not_found', `The server has no table “${table}” about you.`, 'See `tacit known`.')
  const rows: (readonly (string | null)[])[] = []
  for (;;) {
    const more = await device.heldRows({ table, after: rows.length })
    rows.push(...more)
    if (more.length === 0) break
  }
  const names = found.columns.map(({ column }) => column)
  voice.answer({
    json: rows.map((row) => Object.fromEntries(row.map((value, at) => [names[at], value]))),
    lines: rows.flatMap((row) => [...row.map((value, at) => `${names[at]}: ${value ?? '-'}`), '']),
  })
}
