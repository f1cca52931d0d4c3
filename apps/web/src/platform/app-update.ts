/**
 * The service worker as the page sees it: it registers it, hears of a waiting version, and lets the person decide when to
 * change over. A page is reloaded only after its own person said so.
 */
const HOUR = 3_600_000

export interface AppUpdate {
  /** Whether a newer version is ready. */
  readonly get: () => boolean
  readonly subscribe: (listener: () => void) => () => void
  /** Changes over and reloads this page. */
  readonly apply: () => void
}

interface AppUpdateOptions {
  /** Address of the worker, as Trusted Types want it. */
  readonly url: string
  readonly container: ServiceWorkerContainer | undefined
  readonly reload: () => void
}

/** Starts the service worker. Without one (private window, old browser) it stays silent and the app works online. */
export function followAppUpdate({ url, container, reload }: AppUpdateOptions): AppUpdate {
  const listeners = new Set<() => void>()
  let waiting: ServiceWorker | undefined
  let wanted = false

  const ready = (worker: ServiceWorker) => {
    waiting = worker
    for (const listener of listeners) listener()
  }
  container?.addEventListener('controllerchange', () => {
    if (wanted) reload()
  })
  container?.register(url, { type: 'module', updateViaCache: 'none' }).then(
    (registration) => watch({ registration, replaces: () => container.controller !== null, ready }),
    () => undefined,
  )

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
