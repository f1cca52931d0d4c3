/**
 * Starts the worker that holds the device of a browser: store, cryptography and connection. Every tab has one; they agree
 * among themselves which of them does the work (worker/tab.ts).
 */
import { MessengerError, type Messenger } from './api.ts'
import type { StoreDriver } from './local-store/driver.ts'
import { eraseBrowserStore, openBrowserStore } from './local-store/wa-sqlite.browser.ts'
import { Tab } from './worker/tab.ts'

export interface CoreParts {
  readonly store: StoreDriver
  /** There was a device in this browser, but the browser threw its database or key away. The store is a new, empty one. */
  readonly storageLost: boolean
}

export interface WorkerOptions {
  /** Makes the device on its open store, which it closes with itself. */
  readonly openCore: (parts: CoreParts) => Promise<Messenger>
  /** Must be the page's (browser.ts). */
  readonly scope?: string
}

/** Call it once, at the top of a worker script: it listens from then on. */
export function startWorker({ openCore, scope = 'tacit' }: WorkerOptions): void {
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
  return { store: fresh.store, storageLost: true }
}
