/** Joins the worker of a tab to its page and to the browser's store; which device lives on the store is the caller's choice. */
import { MessengerError, type Messenger } from '../api.ts'
import type { StoreDriver } from '../local-store/driver.ts'
import { eraseBrowserStore, openBrowserStore } from '../local-store/wa-sqlite.browser.ts'
import { Tab } from './tab.ts'

export interface CoreParts {
  readonly store: StoreDriver
  /** There was a device in this browser, but the browser threw its database or key away. The store is a new, empty one. */
  readonly storageLost: boolean
}

/** Makes the device on its open store, which it closes with itself. */
export type OpenCore = (parts: CoreParts) => Promise<Messenger>

/** Call it once, at the top of a worker script: it listens from then on. `scope` must be the page's. */
export function startTabWorker({ openCore, scope }: { readonly openCore: OpenCore; readonly scope: string }): void {
  const tab = new Tab({
    scope,
    open: async ({ expected }) => {
      const parts = await openParts(`${scope}-device`, expected)
      return openCore(parts).catch(async (error: unknown) => {
        // Left open it would be in its own way at the next try.
        await parts.store.close()
        throw error
      })
    },
    toPage: (message) => postMessage(message),
  })
  addEventListener('message', ({ data }: MessageEvent<unknown>) => tab.fromPage(data))
}

async function openParts(name: string, expected: boolean): Promise<CoreParts> {
  const found = await openBrowserStore({ name, expected })
  if (found.kind === 'opened') return { store: found.store, storageLost: false }
  await eraseBrowserStore({ name })
  const fresh = await openBrowserStore({ name })
  if (fresh.kind === 'lost') throw new MessengerError('storage', 'The browser does not keep what the site stores.')
  // Remains that nobody remembers are those of a sign-out that was interrupted.
  return { store: fresh.store, storageLost: expected }
}
