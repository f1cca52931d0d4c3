/**
 * The files of one SQLite database in the browser's private file system (OPFS), as SQLite sees them. All three are opened
 * at once and stay open, so that every later operation is synchronous and nobody else can open them meanwhile.
 *
 * A file exists for SQLite when it is not empty; deleting it is emptying it, which is how SQLite's own `truncate` and WAL
 * modes end a transaction, too. There is no shared memory, so WAL mode needs `locking_mode = exclusive`.
 */
import * as sqlite from '@journeyapps/wa-sqlite/src/sqlite-constants.js'
import { FacadeVFS, type Memory } from '@journeyapps/wa-sqlite/src/FacadeVFS.js'
import { storeError } from './failure.ts'

/** The main file has the name given to `open`; SQLite adds the suffixes. */
const suffixes = ['', '-wal', '-journal']

/** Between two looks whether a closing tab has let go of the files. */
const lookAgainMs = 50

export class OpfsFiles extends FacadeVFS {
  readonly #handles: ReadonlyMap<string, FileSystemSyncAccessHandle>
  readonly #open = new Map<number, FileSystemSyncAccessHandle>()

  constructor({ name, module, handles }: { name: string; module: object; handles: ReadonlyMap<string, FileSystemSyncAccessHandle> }) {
    super(name, module)
    this.#handles = handles
  }

  override jOpen(name: string | null, file: number, flags: number, outFlags: DataView): number {
    const handle = name === null ? undefined : this.#handles.get(name)
    // Temporary files have no name; `temp_store = memory` keeps them from being asked for, so that none is ever in clear.
    if (!handle || (!(flags & sqlite.SQLITE_OPEN_CREATE) && handle.getSize() === 0)) return sqlite.SQLITE_CANTOPEN
    this.#open.set(file, handle)
    outFlags.setInt32(0, flags, true)
    return sqlite.SQLITE_OK
  }

  override jClose(file: number): number {
    this.#open.delete(file)
    return sqlite.SQLITE_OK
  }

  override jAccess(name: string, _flags: number, out: DataView): number {
    out.setInt32(0, this.#handles.get(name)?.getSize() ? 1 : 0, true)
    return sqlite.SQLITE_OK
  }

  override jDelete(name: string): number {
    return attempt(sqlite.SQLITE_IOERR_DELETE, () => {
      const handle = this.#handles.get(name)
      handle?.truncate(0)
      handle?.flush()
    })
  }

  override jRead(file: number, data: Memory, offset: number): number {
    let count = 0
    const result = attempt(sqlite.SQLITE_IOERR_READ, () => {
      count = this.#of(file).read(data.subarray(), { at: offset })
      if (count > data.byteLength) throw new TypeError(`reading failed with ${count | 0}`)
    })
    if (result !== sqlite.SQLITE_OK || count === data.byteLength) return result
    data.fill(0, count, data.byteLength)
    return sqlite.SQLITE_IOERR_SHORT_READ
  }

  /** Chromium does not throw when the quota is used up: it returns its negative error code as an unsigned number. */
  override jWrite(file: number, data: Memory, offset: number): number {
    return attempt(sqlite.SQLITE_IOERR_WRITE, () => {
      const count = this.#of(file).write(data.subarray(), { at: offset })
      if (count !== data.byteLength) throw new DOMException('not everything was written', 'QuotaExceededError')
    })
  }

  override jTruncate(file: number, size: number): number {
    return attempt(sqlite.SQLITE_IOERR_TRUNCATE, () => this.#of(file).truncate(size))
  }

  override jSync(file: number): number {
    return attempt(sqlite.SQLITE_IOERR_FSYNC, () => this.#of(file).flush())
  }

  override jFileSize(file: number, out: DataView): number {
    return attempt(sqlite.SQLITE_IOERR_FSTAT, () => out.setBigInt64(0, BigInt(this.#of(file).getSize()), true))
  }

  override jSectorSize(): number {
    return 4096
  }

  /** As for SQLite on any file system: what lies beside a write survives a power cut. Without it WAL commits are padded. */
  override jDeviceCharacteristics(): number {
    return sqlite.SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN | sqlite.SQLITE_IOCAP_POWERSAFE_OVERWRITE
  }

  #of(file: number): FileSystemSyncAccessHandle {
    const handle = this.#open.get(file)
    if (!handle) throw new TypeError('SQLite used a file that is not open')
    return handle
  }
}

/**
 * Opens the files of a database in the folder, making them when they are not there. Waits `patienceMs` for another tab
 * that is closing; then rejects with `StoreError` `in_use`.
 */
export async function openHandles({
  folder,
  name,
  patienceMs,
}: {
  folder: string
  name: string
  patienceMs: number
}): Promise<Map<string, FileSystemSyncAccessHandle>> {
  const root = await navigator.storage.getDirectory()
  const directory = await root.getDirectoryHandle(folder, { create: true })
  const handles = new Map<string, FileSystemSyncAccessHandle>()
  try {
    for (const suffix of suffixes) {
      const file = await directory.getFileHandle(name + suffix, { create: true })
      handles.set(name + suffix, await patiently(() => file.createSyncAccessHandle(), patienceMs))
    }
    return handles
  } catch (error) {
    closeHandles(handles)
    throw error
  }
}

export function closeHandles(handles: ReadonlyMap<string, FileSystemSyncAccessHandle>): void {
  for (const handle of handles.values()) handle.close()
}

/** Erases the folder and everything in it. The files must be closed. */
export async function eraseFolder(folder: string): Promise<void> {
  const root = await navigator.storage.getDirectory()
  await root.removeEntry(folder, { recursive: true }).catch((error: unknown) => {
    if (nameOf(error) !== 'NotFoundError') throw error
  })
}

async function patiently<T>(open: () => Promise<T>, patienceMs: number): Promise<T> {
  for (let waited = 0; ; waited += lookAgainMs) {
    try {
      return await open()
    } catch (error) {
      if (nameOf(error) !== 'NoModificationAllowedError') throw error
      if (waited >= patienceMs) throw storeError('in_use', error)
      await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
    }
  }
}

/** An exception must never fly through SQLite's own frames: it would leave the library in the middle of something. */
function attempt(failure: number, action: () => void): number {
  try {
    action()
    return sqlite.SQLITE_OK
  } catch (error) {
    return nameOf(error) === 'QuotaExceededError' ? sqlite.SQLITE_FULL : failure
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : ''
}
