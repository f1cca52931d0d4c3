/**
 * The SDK in a page. The device itself lives in a worker (browser-worker.ts); this is the light part that a first page may
 * load before anybody has signed in.
 */
import type { MessengerError } from './api.ts'
import { pageMemory } from './worker/memory.ts'
import { openPageMessenger, type PageMessenger } from './worker/page-messenger.ts'

export { SHORTEST_PIN, type AppLock, type LockSecret, type LockState } from './app-lock/app-lock.ts'
export type { PageMessenger } from './worker/page-messenger.ts'
export {
  createLockPasskey,
  createPasskey,
  passkeysAreSupported,
  useLockPasskey,
  usePasskey,
  type PasskeyAnswer,
} from './passkey.browser.ts'

export interface BrowserOptions {
  /** Makes the dedicated module worker whose script calls `startWorker`. Called when it is first needed. */
  readonly createWorker: () => Worker
  /** The device could not be opened; verbs reject with the same error. */
  readonly onTrouble?: (error: MessengerError) => void
  /** Another tab runs newer code, and this page can do nothing more until it is loaded again. */
  readonly onOutdated?: () => void
  /** Must be the worker's (browser-worker.ts). */
  readonly scope?: string
}

/** The messenger of this page. All tabs of the origin share one device, whichever of them does the work. */
export function openBrowserMessenger({ createWorker, onTrouble, onOutdated, scope = 'tacit' }: BrowserOptions): PageMessenger {
  return openPageMessenger({
    createWorker,
    memory: pageMemory(scope),
    onTrouble: (error) => onTrouble?.(error),
    onOutdated: () => onOutdated?.(),
  })
}

/** Whether this browser is believed to hold a device, without opening anything. */
export function hasLocalDevice(scope = 'tacit'): boolean {
  return pageMemory(scope).hasDevice()
}

/**
 * Asks the browser not to clear our storage when space is short. Ask at sign-in: browsers grant it to sites that are used.
 * Resolves to whether storage is now kept.
 */
export async function requestPersistence(): Promise<boolean> {
  try {
    return (await navigator.storage.persisted()) || (await navigator.storage.persist())
  } catch {
    return false
  }
}
