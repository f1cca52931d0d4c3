/** Free disk space, looked at now and then: a full disk must refuse newcomers while there is still room to finish what began (L-28). */
import { statfs } from 'node:fs/promises'
import { Refusal } from '@tacit/contract'

export interface DiskSpace {
  isShort(): boolean
  /** Throws the refusal `storage_full`. */
  assertRoom(): void
  /** Looks again. */
  look(): Promise<void>
}

const MIB = 1024 * 1024

/** Without a folder there is always room. */
export async function watchDiskSpace({ folder, minFreeMib }: { folder: string | undefined; minFreeMib: number }): Promise<DiskSpace> {
  let short = false
  const space: DiskSpace = {
    isShort: () => short,
    assertRoom() {
      if (short) throw new Refusal('storage_full')
    },
    async look() {
      if (!folder) return
      const { bavail, bsize } = await statfs(folder)
      short = bavail * bsize < minFreeMib * MIB
    },
  }
  await space.look()
  return space
}
