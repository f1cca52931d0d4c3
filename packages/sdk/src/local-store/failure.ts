/**
 * What can go wrong with the device's database. A `StoreError` is a `MessengerError('storage')`, so it may reach a screen
 * as it is; `trouble` tells the SDK what to do about it.
 */
import { MessengerError } from '../api.ts'

/**
 * in_use: another process or tab holds it · damaged: not readable as our database, or its key does not fit · full: no room
 * left, nothing of the transaction was kept · exposed: other users of the machine may read the file · closed: used after
 * close, wipe or the end of its transaction · refused: SQLite refused the statement.
 */
export type StoreTrouble = 'in_use' | 'damaged' | 'full' | 'exposed' | 'closed' | 'refused'

export class StoreError extends MessengerError {
  readonly trouble: StoreTrouble
  constructor(trouble: StoreTrouble, message: string, cause?: unknown) {
    super('storage', message, { cause })
    this.trouble = trouble
  }
}

const sentences: Record<Exclude<StoreTrouble, 'refused'>, string> = {
  in_use: 'The local database is open elsewhere.',
  damaged: 'The local database is damaged.',
  full: 'There is no room left for the local database.',
  exposed: 'The local database may be read by other users of this machine.',
  closed: 'The local database is closed.',
}

export function storeError(trouble: Exclude<StoreTrouble, 'refused'>, cause?: unknown): StoreError {
  return new StoreError(trouble, sentences[trouble], cause)
}

/** Translates a SQLite result code (extended ones included, https://sqlite.org/rescode.html) into a failure. */
export function fromResultCode(code: number, cause: unknown): StoreError {
  switch (code & 0xff) {
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
      return storeError('in_use', cause)
    case 10: // SQLITE_IOERR
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB: also what a wrong key looks like
      return storeError('damaged', cause)
    case 13: // SQLITE_FULL
      return storeError('full', cause)
    default:
      // The cause may quote SQL but never a bound value, so it is safe to keep.
      return new StoreError('refused', `The local database refused a statement (${code}).`, cause)
  }
}
