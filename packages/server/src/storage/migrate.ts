/** Runs the migrations that are missing, all in one transaction: killed midway, the next start finds the old schema. */
import { type Kysely } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'

/** By name; names sort in the order in which they run. Forward only. */
export type Migrations = Readonly<Record<string, Migration>>

export async function migrateToLatest<Schema>(kysely: Kysely<Schema>, migrations: Migrations): Promise<void> {
  const migrator = new Migrator({ db: kysely, provider: { getMigrations: () => Promise.resolve({ ...migrations }) } })
  const { error } = await migrator.migrateToLatest()
  if (error) throw new Error('The database could not be brought up to date; nothing was changed.', { cause: error })
}
