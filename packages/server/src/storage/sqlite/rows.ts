/** The one place where rows from a prepared statement become what their query says that they are. */
import type { SQLOutputValue } from 'node:sqlite'
import type { SqliteConnection, SqliteStatement } from './engine.ts'

/** The columns of a query are named and typed as the row it returns. */
export const rowAs = <Row>(row: Record<string, SQLOutputValue>): Row => row as Row

/**
 * A statement whose rows are arrays, for `rowAs` with a tuple. Of each row that is an object the engine makes a dictionary with a
 * hidden class of its own: it takes twice as long to make, and longer to read.
 */
export function prepareArrays(sqlite: SqliteConnection, sql: string): SqliteStatement {
  const statement = sqlite.prepare(sql)
  statement.setReturnArrays(true)
  return statement
}
