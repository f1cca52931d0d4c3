/**
 * The device's database in the browser: SQLite with every page encrypted and authenticated (ChaCha20-Poly1305), in the
 * origin's private file system. Works in a dedicated worker only. WAL with one flush per commit: what was committed
 * survives the death of tab, browser and machine.
 */
import * as sqlite from '@journeyapps/wa-sqlite'
import createModule from '@journeyapps/wa-sqlite/dist/mc-wa-sqlite.mjs'
import { eraseKey, markKeyInUse, mintKey, readKey, type DeviceKey } from './device-key.browser.ts'
import type { StoreDriver } from './driver.ts'
import { StoreError, storeError } from './failure.ts'
import { closeHandles, eraseFolder, openHandles, OpfsFiles } from './opfs-files.browser.ts'
import { serialStore } from './serial.ts'
import { WaConnection, type SqliteModule } from './wa-connection.browser.ts'

export type BrowserStore =
  | { readonly kind: 'opened'; readonly store: StoreDriver; readonly fresh: boolean }
  /** There is a database here, and its key needs the secret of the app lock. */
  | { readonly kind: 'locked' }
  /** There was a database here, but its file or its key is gone or damaged. `eraseBrowserStore` makes room for another. */
  | { readonly kind: 'lost'; readonly what: 'key' | 'file' | 'everything' | 'damaged' }

/** "TACT": tells our database from a file that is merely empty. */
const applicationId = 0x54414354

const fileName = 'device'

/**
 * Opens the database of that name, or makes it. `expected` says that somebody remembers a device in this browser, so that
 * finding nothing is a loss; `lockKey` opens a key under an app lock. Waits `patienceMs` for a tab that is closing. Rejects with `StoreError`: `in_use`, `full`, or
 * `refused` when the browser gives the site no storage.
 */
export async function openBrowserStore({
  name = 'tacit-device',
  expected = false,
  lockKey,
  patienceMs = 5000,
}: {
  readonly name?: string
  readonly expected?: boolean
  readonly lockKey?: Uint8Array | undefined
  readonly patienceMs?: number
} = {}): Promise<BrowserStore> {
  const handles = await stored(openHandles({ folder: name, name: fileName, patienceMs }))
  try {
    const key = await stored(readKey(name, lockKey))
    if (key === 'locked') {
      closeHandles(handles)
      return { kind: 'locked' }
    }
    const found = (handles.get(fileName)?.getSize() ?? 0) > 0
    if (key?.inUse && !found) return lost(handles, 'file')
    if (!key && found) return lost(handles, 'key')
    if (key?.inUse) return { kind: 'opened', store: serialStore(await connect({ name, handles, key })), fresh: false }
    if (expected) return lost(handles, 'everything')
    // Whatever lies here was never completely made.
    for (const handle of handles.values()) handle.truncate(0)
    const connection = await connect({ name, handles, key: await stored(mintKey(name)) })
    await stored(markKeyInUse(name))
    return { kind: 'opened', store: serialStore(connection), fresh: true }
  } catch (error) {
    closeHandles(handles)
    if (error instanceof StoreError && error.trouble === 'damaged') return { kind: 'lost', what: 'damaged' }
    throw error
  }
}

/** Erases files and key, whatever state they are in. Nobody may have the database open. */
export async function eraseBrowserStore({ name = 'tacit-device' }: { readonly name?: string } = {}): Promise<void> {
  // The key first: without it, the rest is noise.
  await stored(eraseKey(name))
  await stored(eraseFolder(name))
}

function lost(handles: ReadonlyMap<string, FileSystemSyncAccessHandle>, what: 'key' | 'file' | 'everything'): BrowserStore {
  closeHandles(handles)
  return { kind: 'lost', what }
}

async function connect(parts: {
  name: string
  handles: ReadonlyMap<string, FileSystemSyncAccessHandle>
  key: DeviceKey
}): Promise<WaConnection> {
  const { name, handles, key } = parts
  const module: SqliteModule & object = await createModule()
  const api = sqlite.Factory(module)
  api.vfs_register(new OpfsFiles({ name, module, handles }))
  module.ccall('sqlite3mc_vfs_create', 'number', ['string', 'number'], [name, 0])
  const database = await api.open_v2(fileName, undefined, `multipleciphers-${name}`)
  const connection = new WaConnection({
    api,
    module,
    database,
    released: () => closeHandles(handles),
    erase: () => eraseBrowserStore({ name }),
  })
  await connection.run(`pragma cipher = 'chacha20'; pragma key = 'raw:${hex(key.bytes)}'`, [])
  key.bytes.fill(0)
  await connection.run('pragma locking_mode = exclusive; pragma temp_store = memory; pragma foreign_keys = on', [])
  await connection.run('pragma journal_mode = wal; pragma synchronous = full', [])
  await checkIdentity(connection, key.inUse)
  return connection
}

/** Reads a page, so a key that does not fit shows here; writes the first one of a new database. */
async function checkIdentity(connection: WaConnection, existing: boolean): Promise<void> {
  if (!existing) await connection.run(`pragma application_id = ${applicationId}`, [])
  const row = await connection.all('pragma application_id', [])
  if (row[0]?.['application_id'] !== applicationId) throw storeError('damaged')
}

/** Turns what IndexedDB and OPFS throw into our failure. */
async function stored<T>(action: Promise<T>): Promise<T> {
  try {
    return await action
  } catch (error) {
    if (error instanceof StoreError) throw error
    if (error instanceof Error && error.name === 'QuotaExceededError') throw storeError('full', error)
    throw new StoreError('refused', 'This browser does not let the site keep data.', error)
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
