/** The databases' errors that are nobody's mistake, as refusals. */
import { Refusal } from '@tacit/contract'
import { postgresRefusal } from './postgres/postgres-faults.ts'
import { isDiskFull } from './sqlite/sqlite-faults.ts'

/** The refusal that an error of the database stands for; undefined for a fault of ours. */
export const storageRefusal = (error: unknown): Refusal | undefined =>
  isDiskFull(error) ? new Refusal('storage_full') : postgresRefusal(error)
