/**
 * One process per profile. The lock is SQLite's own on a small file: the kernel lets go of it when the process dies, so
 * there is no stale lock to judge, and nobody is asked whether a process id still means what it meant.
 */
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { CliFailure } from '../failures.ts'

const SQLITE_BUSY = 5

/** Holds the lock until it is disposed of or the process ends. Throws `CliFailure` when another process holds it. */
export function lock(path: string, profile: string): Disposable {
  // Made here, because SQLite would let others read it.
  closeSync(openSync(path, 'a', 0o600))
  const file = new DatabaseSync(path, { timeout: 0 })
  try {
    file.exec('BEGIN IMMEDIATE')
    file.exec(`PRAGMA user_version = ${process.pid}; COMMIT; BEGIN IMMEDIATE`)
  } catch (error) {
    const row = isBusy(error) ? file.prepare('PRAGMA user_version').get() : undefined
    file.close()
    if (!row) throw new CliFailure('profile_damaged', `The lock ${path} cannot be used.`, 'Check the disk, or remove that file.')
    throw new CliFailure('profile_in_use', `The profile ${profile} is in use by another process (${Number(row['user_version'])}).`)
  }
  return { [Symbol.dispose]: () => file.close() }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY
}
