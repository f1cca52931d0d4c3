/**
 * Free disk space, looked at every second: a full disk must refuse newcomers while there is still room to finish what began
 * (L-28). A ballast file lies beside the database; when other programs fill the disk to the end, it is thrown out, so that
 * cursors are stored and old entries deleted, and it comes back when there is room again.
 */
import { randomFillSync } from 'node:crypto'
import { rm, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Refusal } from '@tacit/contract'

export interface DiskSpace {
  isShort(): boolean
  /** Throws the refusal `storage_full`. */
  assertRoom(): void
  /** Looks again. */
  look(): Promise<void>
}

/** One that looks by itself, until it is closed. */
export interface DiskWatch extends DiskSpace {
  close(): void
}

interface DiskSpaceOptions {
  readonly folder: string | undefined
  /** Below this there is no room for anything new. */
  readonly minFreeMib: number
  /** Free bytes of the disk that a folder is on. */
  readonly freeOn?: (folder: string) => Promise<number>
}

const MIB = 1024 * 1024
const BALLAST = 16 * MIB
const BALLAST_FILE = 'ballast'
/** With less than this a database cannot even delete. */
const LAST = 8 * MIB
const LOOKS_EVERY_MS = 1000

/** Without a folder there is always room. */
export async function watchDiskSpace({ folder, minFreeMib, freeOn = freeBytes }: DiskSpaceOptions): Promise<DiskWatch> {
  let short = false
  const look = async (): Promise<void> => {
    if (!folder) return
    const free = await freeOn(folder)
    short = free < minFreeMib * MIB
    if (minFreeMib > 0) await keepBallast({ folder, free, enough: minFreeMib * MIB + BALLAST })
  }
  if (folder) short = (await freeOn(folder)) < minFreeMib * MIB
  // A look that fails says nothing about the space; the next one may.
  const timer = setInterval(() => void look().catch(() => undefined), LOOKS_EVERY_MS).unref()
  return {
    isShort: () => short,
    assertRoom() {
      if (short) throw new Refusal('storage_full')
    },
    look,
    close: () => clearInterval(timer),
  }
}

async function keepBallast({ folder, free, enough }: { folder: string; free: number; enough: number }): Promise<void> {
  const file = join(folder, BALLAST_FILE)
  const isThere = await stat(file).then(
    ({ size }) => size === BALLAST,
    () => false,
  )
  if (isThere && free < LAST) await rm(file, { force: true })
  // Random, so that it takes its room on file systems that compress.
  else if (!isThere && free > enough) await writeFile(file, randomFillSync(new Uint8Array(BALLAST)), { mode: 0o600 })
}

const freeBytes = async (folder: string): Promise<number> => {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}
