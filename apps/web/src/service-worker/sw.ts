/**
 * Keeps the built app for offline use. A new version is fetched in the background and waits until the person asks for it
 * (or closes every tab): nobody is reloaded while writing. Messages never pass through here.
 */
import { cleanupOutdatedCaches, PrecacheController, PrecacheRoute, type PrecacheEntry } from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'

declare const self: ServiceWorkerGlobalScope & { readonly __WB_MANIFEST: PrecacheEntry[] }

/** Pages that the server draws itself. */
const SERVER_PAGES = [/^\/docs(\/|$)/, /^\/v1(\/|$)/, /^\/health(\/|$)/, /^\/openapi/]

const precache = new PrecacheController()
precache.addToCacheList(self.__WB_MANIFEST)
registerRoute(new PrecacheRoute(precache))
registerRoute(new NavigationRoute(precache.createHandlerBoundToURL('/index.html'), { denylist: SERVER_PAGES }))
cleanupOutdatedCaches()

// Both hold the event open until they are done.
self.addEventListener('install', (event) => void precache.install(event))
self.addEventListener('activate', (event) => {
  void precache.activate(event)
  event.waitUntil(self.clients.claim())
})

self.addEventListener('message', (event) => {
  if (event.data === 'take-over') event.waitUntil(self.skipWaiting())
  if (event.data === 'keep') event.waitUntil(refill())
})

/**
 * Signing out empties the cache, and a browser that is asked for the same worker again may bring back this one without
 * installing it anew. Fetches what is missing.
 */
async function refill(): Promise<void> {
  const cache = await self.caches.open(precache.strategy.cacheName)
  const missing = await Promise.all(
    [...precache.getURLsToCacheKeys()].map(async ([url, key]) => ((await cache.match(key)) === undefined ? [{ url, key }] : [])),
  )
  await Promise.all(
    missing.flat().map(async ({ url, key }) => {
      const response = await fetch(url)
      if (response.ok) await cache.put(key, response)
    }),
  )
}
