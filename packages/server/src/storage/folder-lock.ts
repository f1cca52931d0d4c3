/**
 * One server per data folder: the writes of two would not queue behind each other. The lock is the operating system's, held
 * through an empty SQLite file, so it ends with the process however that dies.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Returns the way to let go. Throws with a sentence if somebody else has the folder. */
export function lockFolder(folder: string): () => void {
  const lock = new DatabaseSync(join(folder, 'in-use'))
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    throw new Error(`The data folder ${folder} is used by another server. Stop it first, or choose another folder with TACIT_DATA_DIR.`, {
      cause: error,
    })
  }
  return () => lock.close()
}
