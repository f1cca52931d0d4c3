/** F-31: a small disk fills up, by messages and by another program, to the last byte; then there is room again. */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { DatabaseSync } from 'node:sqlite'
import type { Crowd } from '../crowd.ts'
import { milliseconds, worst, type Row } from '../row.ts'
import { outcomeOf, playScene } from '../scene.ts'

const MIB = 1024 * 1024
const DISK = 192
/** What the server keeps free: it refuses below this. */
const MIN_FREE = 64

export const fullDisk: Row = {
  id: 'F-31',
  name: 'a full disk',
  short: 1,
  long: 50,
  async run(injections) {
    await using held = new AsyncDisposableStack()
    const folder = mountSmallDisk(held)
    const recovered: number[] = []
    const problems: string[] = []
    const environment = { TACIT_DATA_DIR: join(folder, 'data'), TACIT_MIN_FREE_DISK_MIB: String(MIN_FREE) }
    const end = await playScene({ environment }, async ({ crowd, recorder, server }) => {
      for (let time = 0; time < injections; time++) {
        // Somebody who has everything to fetch, and cursors to be stored, when there is no room.
        const sleeper = crowd.members.at(-1)
        await sleeper?.stop()
        crowd.talk()
        // The ballast is made in the first second.
        await pause(1500)
        const filler = new Filler(join(folder, 'filler'))
        filler.fillUpTo(MIN_FREE - 4)
        await refused(crowd)
        problems.push(...(await isQuiet(crowd)))
        filler.fillUpTo(0)
        sleeper?.start()
        problems.push(...(await readsGoOn(crowd)))
        filler.empty()
        const since = recorder.now()
        recovered.push(await crowd.nextAccept(since))
      }
      problems.push(...integrityOf(join(server.dataDir, 'tacit.sqlite')))
    })
    const says = problems.length > 0 ? problems.join('; ') : undefined
    return outcomeOf(end, { injections, says, figures: [milliseconds('room again to first accept', worst(recovered), 5000)] })
  },
}

/** Needs the right to mount; a row that cannot be played fails. */
function mountSmallDisk(held: AsyncDisposableStack): string {
  const folder = mkdtempSync(join(tmpdir(), 'tacit-disk-'))
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}m`, 'tmpfs', folder], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`a small disk could not be mounted: ${stderr}`)
  held.defer(() => {
    spawnSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** Another program's file. */
class Filler {
  readonly #path: string
  constructor(path: string) {
    this.#path = path
  }

  /** Until so many MiB are free, or nothing can be written. */
  fillUpTo(free: number): void {
    const file = openSync(this.#path, 'a')
    const piece = new Uint8Array(MIB / 4)
    try {
      while (freeMib(this.#path) > free) writeSync(file, piece)
    } catch {
      // Full: that is what was wanted.
    } finally {
      closeSync(file)
    }
  }

  empty(): void {
    rmSync(this.#path)
  }
}

const freeMib = (path: string): number => {
  const { bavail, bsize } = statfsSync(path)
  return (bavail * bsize) / MIB
}

async function refused(crowd: Crowd): Promise<void> {
  const before = crowd.refusals.get('storage_full') ?? 0
  while ((crowd.refusals.get('storage_full') ?? 0) < before + 10) await pause(20)
}

/** Nothing new is accepted while there is too little room. */
async function isQuiet(crowd: Crowd): Promise<string[]> {
  await pause(300)
  const before = crowd.accepted
  await pause(700)
  return crowd.accepted > before ? [`${crowd.accepted - before} were accepted on a disk that is short`] : []
}

/** Everybody reconnects, catches up, and says so: the ballast has made room for their cursors. */
async function readsGoOn(crowd: Crowd): Promise<string[]> {
  for (const member of crowd.members) await member.reconnect()
  for (let tries = 0; tries < 100; tries++) {
    await pause(100)
    if (crowd.members.every((member) => member.hasAcknowledged && member.isConnected)) return []
  }
  return ['reading stopped when the disk was full']
}

function integrityOf(file: string): string[] {
  const sqlite = new DatabaseSync(file, { readOnly: true })
  const found = Object.values(sqlite.prepare('PRAGMA integrity_check').get() ?? {})[0]
  sqlite.close()
  return found === 'ok' ? [] : [`the database is damaged: ${String(found)}`]
}
