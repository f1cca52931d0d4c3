/**
 * The key of the database in the browser: 32 random bytes, sealed with AES-GCM under a WebCrypto key that cannot be
 * exported. Both lie in IndexedDB. A copy of the profile's files is thereby worth nothing without the browser's own key
 * storage; code that runs in our origin can still use the key, but not take it away. With an app lock it is sealed once more,
 * under a key that only the person can give.
 */
import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from 'idb'
import { openBytes, sealBytes, labelled, owned } from '../sealing.ts'
import { platformRandom } from '../surroundings.ts'

export interface DeviceKey {
  /** Raw 32 bytes; whoever takes them overwrites them after use. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Whether a database under this key was completely made. */
  readonly inUse: boolean
}

/** What is known of a lock without opening it. Guessing is slowed by `failures` and `notBefore` (ms) for people at the keyboard; a thief of the files is slowed by the cost of the key alone. */
export interface KeyLock {
  readonly by: 'pin' | 'passkey'
  /** 16 bytes. */
  readonly salt: Uint8Array<ArrayBuffer>
  /** Of the passkey, Base64url. */
  readonly credential?: string
  readonly afterMinutes: number
  readonly failures: number
  readonly notBefore: number
}

interface KeyRecord {
  readonly wrapping: CryptoKey
  readonly iv: Uint8Array<ArrayBuffer>
  readonly sealed: ArrayBuffer
  readonly inUse: boolean
  readonly lock?: KeyLock
}

interface KeySchema extends DBSchema {
  keys: { key: 'database'; value: KeyRecord }
}

/**
 * The key that is there, if any. Undefined also when it cannot be opened. A locked one opens with the key of its lock;
 * `locked` without it, or with a wrong one.
 */
export async function readKey(place: string, lockKey?: Uint8Array): Promise<DeviceKey | 'locked' | undefined> {
  const record = await readRecord(place)
  if (!record) return undefined
  try {
    const outer = new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: record.iv }, record.wrapping, record.sealed))
    if (!record.lock) return { bytes: outer, inUse: record.inUse }
    const bytes = lockKey && (await openBytes({ key: lockKey, sealed: outer, context: lockContext }))
    return bytes ? { bytes, inUse: record.inUse } : 'locked'
  } catch {
    return undefined
  }
}

/** Makes a key and keeps it, replacing any other. */
export async function mintKey(place: string): Promise<DeviceKey> {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  await keep(place, { bytes, inUse: false })
  return { bytes, inUse: false }
}

/** Keeps this key from now on under that lock, or without one. */
export async function relockKey(place: string, key: DeviceKey, lock?: { readonly lock: KeyLock; readonly key: Uint8Array }): Promise<void> {
  if (!lock) return keep(place, key)
  const bytes = await sealBytes({ key: lock.key, bytes: key.bytes, context: lockContext, random: platformRandom })
  await keep(place, { bytes, inUse: key.inUse }, lock.lock)
}

export async function readLock(place: string): Promise<KeyLock | undefined> {
  return (await readRecord(place))?.lock
}

/** Changes what is noted beside the lock. Nothing happens when there is none. */
export async function noteOnLock(place: string, change: Partial<Pick<KeyLock, 'afterMinutes' | 'failures' | 'notBefore'>>): Promise<void> {
  const record = await readRecord(place)
  if (record?.lock) await put(place, { ...record, lock: { ...record.lock, ...change } })
}

/** Notes that the database under the key exists: from now on its absence means loss. */
export async function markKeyInUse(place: string): Promise<void> {
  const record = await readRecord(place)
  if (record) await put(place, { ...record, inUse: true })
}

export async function eraseKey(place: string): Promise<void> {
  await deleteDB(place)
}

const lockContext = labelled('tacit app lock v1')

async function keep(place: string, key: DeviceKey, lock?: KeyLock): Promise<void> {
  const wrapping = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, wrapping, owned(key.bytes))
  await put(place, { wrapping, iv, sealed, inUse: key.inUse, ...(lock && { lock }) })
}

/** Looking leaves nothing behind in a browser that holds no device: opening would make a database. */
async function readRecord(place: string): Promise<KeyRecord | undefined> {
  const found = (await indexedDB.databases()).some(({ name }) => name === place)
  return found ? withKeys(place, (keys) => keys.get('keys', 'database')) : undefined
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
