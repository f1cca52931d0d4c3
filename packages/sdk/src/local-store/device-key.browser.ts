/**
 * The key of the database in the browser: 32 random bytes, sealed with AES-GCM under a WebCrypto key that cannot be
 * exported. Both lie in IndexedDB. A copy of the profile's files is thereby worth nothing without the browser's own key
 * storage; code that runs in our origin can still use the key, but not take it away.
 */
import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from 'idb'

export interface DeviceKey {
  /** Raw 32 bytes; whoever takes them overwrites them after use. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Whether a database under this key was completely made. */
  readonly inUse: boolean
}

interface KeyRecord {
  readonly wrapping: CryptoKey
  readonly iv: Uint8Array<ArrayBuffer>
  readonly sealed: ArrayBuffer
  readonly inUse: boolean
}

interface KeySchema extends DBSchema {
  keys: { key: 'database'; value: KeyRecord }
}

/** The key that is there, if any. Undefined also when it cannot be opened. */
export async function readKey(place: string): Promise<DeviceKey | undefined> {
  const record = await withKeys(place, (keys) => keys.get('keys', 'database'))
  if (!record) return undefined
  try {
    const bytes = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: record.iv }, record.wrapping, record.sealed)
    return { bytes: new Uint8Array(bytes), inUse: record.inUse }
  } catch {
    return undefined
  }
}

/** Makes a key and keeps it, replacing any other. */
export async function mintKey(place: string): Promise<DeviceKey> {
  const wrapping = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, wrapping, bytes)
  await put(place, { wrapping, iv, sealed, inUse: false })
  return { bytes, inUse: false }
}

/** Notes that the database under the key exists: from now on its absence means loss. */
export async function markKeyInUse(place: string): Promise<void> {
  const record = await withKeys(place, (keys) => keys.get('keys', 'database'))
  if (record) await put(place, { ...record, inUse: true })
}

export async function eraseKey(place: string): Promise<void> {
  await deleteDB(place)
}

function put(place: string, record: KeyRecord): Promise<void> {
  return withKeys(place, async (keys) => {
    const transaction = keys.transaction('keys', 'readwrite', { durability: 'strict' })
    await transaction.store.put(record, 'database')
    await transaction.done
  })
}

/** Opens and closes around each use, so that erasing is never blocked by a connection. */
async function withKeys<T>(place: string, use: (keys: IDBPDatabase<KeySchema>) => Promise<T>): Promise<T> {
  const keys = await openDB<KeySchema>(place, 1, { upgrade: (database) => void database.createObjectStore('keys') })
  try {
    return await use(keys)
  } finally {
    keys.close()
  }
}
