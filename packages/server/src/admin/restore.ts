/**
 * `restore <file>`: makes an installation from a backup, on SQLite or PostgreSQL whichever it came from. The server must be
 * stopped. What is there is never overwritten unasked; files that are replaced are moved aside, not deleted.
 */
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../clock.ts'
import { restoreSecrets } from '../secrets.ts'
import type { Settings } from '../settings.ts'
import { lockFolder } from '../storage/folder-lock.ts'
import { migrations } from '../storage/migrations/index.ts'
import { openPostgres } from '../storage/postgres/postgres-database.ts'
import { acknowledgedFile } from '../storage/postgres/standing.ts'
import { openSqlite } from '../storage/sqlite/sqlite-database.ts'
import { dropExtras, readExtras, type Extras, type Manifest } from './backup-file.ts'
import { syncFolder } from './backup.ts'
import { copyDatabase } from './copy-database.ts'
import { tablesOf } from './tables.ts'
import { verifyBackup } from './verify-backup.ts'

export interface RestoreRequest {
  readonly settings: Settings
  readonly clock: Clock
  readonly path: string
  /** An installation that has rows gives way. */
  readonly replace: boolean
}

export interface Restored {
  readonly manifest: Manifest
  /** Where the files went that were there before. */
  readonly aside: string | undefined
}

const FILES = ['tacit.sqlite', 'tacit.sqlite-wal', 'tacit.sqlite-shm'] as const

/** Throws a sentence; then everything is as it was. */
export async function restoreBackup({ settings, clock, path, replace }: RestoreRequest): Promise<Restored> {
  const { findings } = await verifyBackup(path)
  if (findings.length > 0) throw new Error(`This backup is damaged, and nothing was changed:\n${findings.join('\n')}`)
  const folder = resolve(settings.dataDir)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  await using held = new AsyncDisposableStack()
  held.defer(lockFolder(folder))
  const prepared = join(folder, 'restoring.sqlite')
  held.defer(() => removeDatabase(prepared))
  const extras = await prepare(path, prepared)
  const aside = join(folder, `replaced-${new Date(clock.now()).toISOString().replaceAll(':', '')}`)
  if (settings.database === '') {
    if (!replace) assertNothingThere(join(folder, 'tacit.sqlite'))
    moveAside({ folder, aside, names: extras.secrets === undefined ? FILES : [...FILES, 'secrets.json'] })
    renameSync(prepared, join(folder, 'tacit.sqlite'))
  } else {
    await fillPostgres({ settings, prepared, replace })
    if (extras.secrets !== undefined) moveAside({ folder, aside, names: ['secrets.json'] })
  }
  if (extras.secrets !== undefined) restoreSecrets(folder, extras.secrets)
  syncFolder(folder)
  return { manifest: extras.manifest, aside: existsSync(aside) ? aside : undefined }
}

/** The tables alone, with this program's schema, checkpointed into one file. */
async function prepare(path: string, prepared: string): Promise<Extras> {
  removeDatabase(prepared)
  copyFileSync(path, prepared)
  const sqlite = new DatabaseSync(prepared)
  let extras: Extras
  try {
    extras = readExtras(sqlite)
    const unknown = extras.manifest.migrations.find((name) => !(name in migrations))
    if (unknown) throw new Error(`The backup is of a newer version than this program: it does not know ${unknown}.`)
    dropExtras(sqlite)
  } finally {
    sqlite.close()
  }
  const upgraded = await openSqlite({ path: prepared })
  await upgraded.close()
  return extras
}

function assertNothingThere(path: string): void {
  if (!existsSync(path)) return
  const sqlite = new DatabaseSync(path, { readOnly: true })
  try {
    const full = tablesOf(sqlite).find(({ name }) => sqlite.prepare(`SELECT 1 FROM "${name}" LIMIT 1`).get() !== undefined)
    if (full)
      throw new Error(`The installation is not empty: ${full.name} has rows. To move it aside and restore in its place, add --replace.`)
  } finally {
    sqlite.close()
  }
}

async function fillPostgres({ settings, prepared, replace }: Pick<RestoreRequest, 'settings' | 'replace'> & { prepared: string }) {
  await using held = new AsyncDisposableStack()
  const from = await openSqlite({ path: prepared })
  held.defer(() => from.close())
  // What was acknowledged after the backup is given up on purpose.
  rmSync(acknowledgedFile(resolve(settings.dataDir)), { force: true })
  const to = await openPostgres({ url: settings.database, acceptDataLoss: settings.acceptDataLoss })
  held.defer(() => to.close())
  await copyDatabase({ from, to, replace })
}

function moveAside({ folder, aside, names }: { folder: string; aside: string; names: readonly string[] }): void {
  for (const name of names.filter((one) => existsSync(join(folder, one)))) {
    mkdirSync(aside, { recursive: true, mode: 0o700 })
    renameSync(join(folder, name), join(aside, name))
  }
}

function removeDatabase(path: string): void {
  for (const ending of ['', '-journal', '-wal', '-shm']) rmSync(path + ending, { force: true })
}
