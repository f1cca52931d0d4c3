/** `migrate-database`: from the SQLite file in the data folder into the PostgreSQL database that TACIT_DATABASE names. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Settings } from '../settings.ts'
import { lockFolder } from '../storage/folder-lock.ts'
import { openPostgres } from '../storage/postgres/postgres-database.ts'
import { openSqlite } from '../storage/sqlite/sqlite-database.ts'
import { copyDatabase } from './copy-database.ts'
import type { TableSummary } from './tables.ts'

/** The server must be stopped. The SQLite file stays as it is. Throws a sentence. */
export async function migrateDatabase({ dataDir, database, acceptDataLoss }: Settings): Promise<TableSummary[]> {
  if (database === '') throw new Error('Say with TACIT_DATABASE where to copy to: postgres://user:password@host/database.')
  const folder = resolve(dataDir)
  const path = join(folder, 'tacit.sqlite')
  if (!existsSync(path)) throw new Error(`There is no database in ${folder}. Say with TACIT_DATA_DIR where it is.`)
  await using held = new AsyncDisposableStack()
  held.defer(lockFolder(folder))
  const from = await openSqlite({ path })
  held.defer(() => from.close())
  const to = await openPostgres({ url: database, acceptDataLoss })
  held.defer(() => to.close())
  return await copyDatabase({ from, to })
}
