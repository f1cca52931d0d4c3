/** The one place where rows from a prepared statement become what their query says that they are. */
import type { SQLOutputValue } from 'node:sqlite'

/** The columns of a query are named and typed as the row it returns. */
export const rowAs = <Row>(row: Record<string, SQLOutputValue>): Row => row as Row
