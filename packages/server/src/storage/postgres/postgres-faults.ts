/** What PostgreSQL's and its driver's errors mean to the rooms: worth another try, a refusal by name, or a fault of ours. */
import { Refusal } from '@tacit/contract'

/** SQLSTATE (PostgreSQL manual, appendix A), or the system's name for a connection that failed. */
const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '')

/**
 * Another transaction came between: serialization failure, deadlock, a row that was not there when this one looked, or a counter that
 * was not where a batch had read it, which divides by zero then (delivery/postgres.statements.ts).
 */
const COLLISIONS: ReadonlySet<string> = new Set(['40001', '40P01', '23505', '22012'])

/** Nothing of the transaction is there, and from the start it may well succeed, or refuse by name. */
export const isCollision = (error: unknown): boolean => COLLISIONS.has(codeOf(error))

const DISK_FULL = '53100'
/**
 * Connection exceptions, too little of something, operator intervention, locks that took too long, transactions rolled back or
 * ended because they rested, and a standby, which only reads until it takes over.
 */
const PASSING_STATES = /^(08|53|57|55P03|40|25006|25P03)/
const PASSING_ERRORS = /^(ECONN|EPIPE|ENOENT|ETIMEDOUT|EHOSTUNREACH|EAI_AGAIN|ERR_STREAM_|ERR_SOCKET_CLOSED)/
/** What the driver says without a code. */
const PASSING_WORDS = /connection|timeout|not queryable|closed/i

/** The refusal that a storage error stands for: the database is away, busy or full, and nobody did anything wrong. */
export function postgresRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof Error)) return undefined
  const code = codeOf(error)
  if (code === DISK_FULL) return new Refusal('storage_full')
  const passing =
    code === '' ? isFromDriver(error) && PASSING_WORDS.test(error.message) : PASSING_STATES.test(code) || PASSING_ERRORS.test(code)
  return passing ? new Refusal('unavailable', { retryAfter: 1 }) : undefined
}

const isFromDriver = (error: Error): boolean => /node_modules[\\/]pg(-pool)?[\\/]/.test(error.stack ?? '')
