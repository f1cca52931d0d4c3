/** The migrations in their order. A new one gets the next number and is never changed after a release. */
import type { Migrations } from '../migrate.ts'
import { identity } from './0001-identity.ts'

export const migrations: Migrations = { '0001-identity': identity }
