/** What SQLite's result codes mean; extended codes carry more in their upper bits. */

const SQLITE_IOERR = 10
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26

export const isDiskFull = (error: unknown): boolean => resultCode(error) === SQLITE_FULL

/** After a failed fsync nobody knows what is on the disk; trying again could acknowledge what was lost. */
export const isDiskFault = (error: unknown): boolean => [SQLITE_IOERR, SQLITE_CORRUPT].includes(resultCode(error) ?? 0)

/** What was read is not what SQLite wrote, or cannot be read; not that it could not be looked at (no descriptors, no memory, a lock). */
export const isDamage = (error: unknown): boolean => isDiskFault(error) || resultCode(error) === SQLITE_NOTADB

const resultCode = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined
