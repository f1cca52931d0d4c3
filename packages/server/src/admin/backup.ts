/**
 * `backup <file>`: a consistent copy of a running installation. SQLite is copied by its own VACUUM INTO, PostgreSQL row by
 * row from one read-only snapshot; writers go on meanwhile. Whatever was accepted before the command began is in it.
 */
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, sql, type Transaction } from 'kysely'
import { Pool } from 'pg'
import type { Clock } from '../clock.ts'
import { readSecretsText } from '../secrets.ts'
import type { Settings } from '../settings.ts'
import { migrations } from '../storage/migrations/index.ts'
import { PortablePostgresDialect, portableTypes } from '../storage/postgres/postgres-dialect.ts'
import { openSqlite } from '../storage/sqlite/sqlite-database.ts'
import { NodeSqliteDialect } from '../storage/sqlite/sqlite-dialect.ts'
import type { Tables } from '../storage/tables.ts'
import { sealFile, writeExtras, type Manifest } from './backup-file.ts'
import { copyAndCompare, summarise, tablesOf, type TableSummary } from './tables.ts'
import { verifyBackup } from './verify-backup.ts'

export interface BackupRequest {
  readonly settings: Settings
  readonly clock: Clock
  /** Where to; must not exist. */
  readonly path: string
  readonly withSecrets: boolean
}

/** Returns what is in the backup. Throws a sentence; then there is no file. */
export async function makeBackup({ settings, clock, path, withSecrets }: BackupRequest): Promise<Manifest> {
  if (existsSync(path)) throw new Error(`${path} exists already. Give another name.`)
  const partial = `${path}.partial`
  const madeAt = new Date(clock.now()).toISOString()
  const secrets = withSecrets ? secretsOf(settings) : undefined
  const from = settings.database === '' ? 'sqlite' : 'postgres'
  rmSync(partial, { force: true })
  try {
    if (from === 'sqlite') copySqlite(resolve(settings.dataDir), partial)
    else await copyPostgres(settings.database, partial)
    chmodSync(partial, 0o600)
    const manifest = await writeManifest(partial, { madeAt, from, secrets })
    sealFile(partial)
    await assertWhole(partial)
    renameSync(partial, path)
    syncFolder(dirname(resolve(path)))
    return manifest
  } catch (error) {
    for (const ending of ['', '-journal', '-wal', '-shm']) rmSync(partial + ending, { force: true })
    throw error
  }
}

function secretsOf({ dataDir }: Settings): string {
  const text = readSecretsText(resolve(dataDir))
  if (text === undefined) {
    throw new Error(`There is no secrets.json in ${resolve(dataDir)}. Say with TACIT_DATA_DIR where it is, or add --without-secrets.`)
  }
  return text
}

/** A snapshot of the write-ahead log: no lock is held that a writer would wait for. */
function copySqlite(folder: string, target: string): void {
  const path = join(folder, 'tacit.sqlite')
  if (!existsSync(path)) throw new Error(`There is no database in ${folder}. Say with TACIT_DATA_DIR where it is.`)
  const source = new DatabaseSync(path, { readOnly: true, timeout: 10_000 })
  try {
    source.prepare('VACUUM INTO ?').run(target)
  } finally {
    source.close()
  }
}

async function copyPostgres(url: string, target: string): Promise<void> {
  await using held = new AsyncDisposableStack()
  const pool = new Pool({ connectionString: url, application_name: 'tacit backup', types: portableTypes, max: 1 })
  const source = new Kysely<Tables>({ dialect: new PortablePostgresDialect({ pool }) })
  held.defer(() => source.destroy())
  const copy = await openSqlite({ path: target })
  held.defer(() => copy.close())
  const tables = copy.read(tablesOf)
  const snapshot = source.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
  await snapshot.execute(async (from) => {
    await assertOurSchema(from)
    await copy.write(async (to) => {
      for (const table of tables) await copyAndCompare({ from, to, table })
    })
  })
}

/** The copy has this program's schema, and nothing is changed on a server that is running. */
async function assertOurSchema(from: Transaction<Tables>): Promise<void> {
  const ran = await namesOfMigrations(from)
  if (ran.join() !== Object.keys(migrations).toSorted().join()) {
    throw new Error('The database is of another version than this program. Use the program of the server that runs on it.')
  }
}

export async function namesOfMigrations(db: Kysely<Tables>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  return rows.map(({ name }) => name)
}

async function writeManifest(
  path: string,
  { madeAt, from, secrets }: Pick<Manifest, 'madeAt' | 'from'> & { secrets: string | undefined },
): Promise<Manifest> {
  const sqlite = new DatabaseSync(path)
  try {
    sqlite.exec('PRAGMA journal_mode = DELETE')
    const db = new Kysely<Tables>({ dialect: new NodeSqliteDialect(sqlite) })
    const tables: TableSummary[] = []
    for (const table of tablesOf(sqlite)) tables.push(await summarise(db, table))
    const rowsOf = (name: string): number => tables.find((table) => table.name === name)?.rows ?? 0
    const counts = { conversations: rowsOf('log'), entries: rowsOf('entry') }
    const manifest: Manifest = {
      version: 1,
      madeAt,
      from,
      migrations: await namesOfMigrations(db),
      secrets: secrets !== undefined,
      ...counts,
      tables,
    }
    writeExtras(sqlite, { manifest, secrets })
    return manifest
  } finally {
    sqlite.close()
  }
}

/** Also that what was copied was sound: a damaged installation is not discovered at its restore. */
async function assertWhole(path: string): Promise<void> {
  const { findings } = await verifyBackup(path)
  if (findings.length > 0) throw new Error(`No backup was made, because the installation is damaged:\n${findings.join('\n')}`)
}

/** The new name is on the disk, too. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  fsyncSync(handle)
  closeSync(handle)
}
