/** Joins the worker of a tab to its page and to the browser's store; which device lives on the store is the caller's choice. */
import { MessengerError, type Messenger } from '../api.ts'
import { DeviceLock } from '../app-lock/device-lock.browser.ts'
import type { StoreDriver } from '../local-store/driver.ts'
import { eraseBrowserStore, openBrowserStore } from '../local-store/wa-sqlite.browser.ts'
import { platformClock, platformRandom } from '../surroundings.ts'
import { Tab } from './tab.ts'

export interface CoreParts {
  readonly store: StoreDriver
  /** There was a device in this browser, but the browser threw its database or key away. The store is a new, empty one. */
  readonly storageLost: boolean
  /** Id of the device that was in this browser last, as far as the page remembers. */
  readonly slot: () => string | undefined
}

/** Makes the device on its open store, which it closes with itself. */
export type OpenCore = (parts: CoreParts) => Promise<Messenger>

/** Call it once, at the top of a worker script: it listens from then on. `scope` must be the page's. */
export function startTabWorker({ openCore, scope }: { readonly openCore: OpenCore; readonly scope: string }): void {
  const place = `${scope}-device`
  const lock = new DeviceLock({ place, clock: platformClock, random: platformRandom })
  const tab = new Tab({
    scope,
    lock,
    erase: () => eraseBrowserStore({ name: place }),
    open: async ({ expected, slot }) => {
      const parts = await openParts({ name: place, expected, lockKey: lock.key })
      return openCore({ ...parts, slot }).catch(async (error: unknown) => {
        // Left open it would be in its own way at the next try.
        await parts.store.close()
        throw error
      })
    },
    toPage: (message) => postMessage(message),
  })
  addEventListener('message', ({ data }: MessageEvent<unknown>) => tab.fromPage(data))
}

async function openParts(place: {
  readonly name: string
  readonly expected: boolean
  readonly lockKey: Uint8Array | undefined
}): Promise<Omit<CoreParts, 'slot'>> {
  const { name, expected } = place
  const found = await openBrowserStore(place)
  if (found.kind === 'opened') return { store: found.store, storageLost: false }
  if (found.kind === 'locked') throw new MessengerError('locked', 'The app lock is closed.')
  await eraseBrowserStore({ name })
  const fresh = await openBrowserStore({ name })
  if (fresh.kind !== 'opened') throw new MessengerError('storage', 'The browser does not keep what the site stores.')
  // Remains that nobody remembers are those of a sign-out that was interrupted.
  return { store: fresh.store, storageLost: expected }
}
