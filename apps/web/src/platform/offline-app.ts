/**
 * The service worker as the page sees it. It is there while somebody lives in this browser: a visitor who only looks at the
 * door loads nothing for offline use, and signing out takes everything away again. A newer version waits until the person
 * wants it; a page is reloaded only after its own person said so.
 */
const HOUR = 3_600_000

export interface OfflineApp {
  /** Whether a newer version is ready. */
  readonly get: () => boolean
  readonly subscribe: (listener: () => void) => () => void
  /** Changes over to the newer version and reloads this page. */
  readonly apply: () => void
  /** Keeps the app in this browser from now on. */
  readonly keep: () => void
  /** Leaves nothing behind. */
  readonly forget: () => Promise<void>
}

interface OfflineAppOptions {
  /** Address of the worker, as Trusted Types want it. */
  readonly url: string
  /** Undefined where there are no service workers: then the app works online only. */
  readonly container: ServiceWorkerContainer | undefined
  readonly caches: CacheStorage | undefined
  readonly reload: () => void
}

export function offlineApp({ url, container, caches, reload }: OfflineAppOptions): OfflineApp {
  const listeners = new Set<() => void>()
  let waiting: ServiceWorker | undefined
  let wanted = false
  let kept = false

  const ready = (worker: ServiceWorker) => {
    waiting = worker
    for (const listener of listeners) listener()
  }
  container?.addEventListener('controllerchange', () => {
    if (wanted) reload()
  })

  return {
    get: () => waiting !== undefined,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    apply() {
      wanted = true
      waiting?.postMessage('take-over')
      // Another tab may have changed over already; then nobody is waiting any more.
      if (waiting?.state === 'activated' || waiting?.state === 'redundant') reload()
    },
    keep() {
      if (kept) return
      kept = true
      container?.register(url, { type: 'module', updateViaCache: 'none' }).then(
        (registration) => {
          registration.active?.postMessage('keep')
          watch({ registration, replaces: () => container.controller !== null, ready })
        },
        // A private window, for instance. The app works online.
        () => undefined,
      )
    },
    async forget() {
      kept = false
      const registrations = (await container?.getRegistrations()) ?? []
      await Promise.all(registrations.map((registration) => registration.unregister()))
      if (caches === undefined) return
      await Promise.all((await caches.keys()).map((name) => caches.delete(name)))
    },
  }
}

interface WatchOptions {
  readonly registration: ServiceWorkerRegistration
  /** Whether there is an older version to replace; the first one is no news. */
  readonly replaces: () => boolean
  readonly ready: (worker: ServiceWorker) => void
}

function watch({ registration, replaces, ready }: WatchOptions): void {
  if (registration.waiting !== null && replaces()) ready(registration.waiting)
  registration.addEventListener('updatefound', () => {
    const arriving = registration.installing
    arriving?.addEventListener('statechange', () => {
      if (arriving.state === 'installed' && replaces()) ready(arriving)
    })
  })
  setInterval(() => void registration.update().catch(() => undefined), HOUR)
}
