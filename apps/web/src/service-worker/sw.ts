/**
 * Keeps the built app for offline use. A new version is fetched in the background and waits until the person asks for it
 * (or closes every tab): nobody is reloaded while writing. Messages never pass through here.
 */
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute, type PrecacheEntry } from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'

declare const self: ServiceWorkerGlobalScope & { readonly __WB_MANIFEST: PrecacheEntry[] }

/** Pages that the server draws itself. */
const SERVER_PAGES = [/^\/docs(\/|$)/, /^\/v1(\/|$)/, /^\/health(\/|$)/, /^\/openapi/]

cleanupOutdatedCaches()
precacheAndRoute(self.__WB_MANIFEST)
registerRoute(new NavigationRoute(createHandlerBoundToURL('/index.html'), { denylist: SERVER_PAGES }))

self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
self.addEventListener('message', (event) => {
  if (event.data === 'take-over') event.waitUntil(self.skipWaiting())
})
