/**
 * Chromium keeps `navigator.onLine` right in workers, but sends `online` and `offline` only to pages. The connection waits
 * for these events, so here they are made from the changes of the value.
 */
const LOOK_MS = 1000

export function tellOnlineChanges(): void {
  let online = navigator.onLine
  setInterval(() => {
    if (navigator.onLine === online) return
    online = navigator.onLine
    dispatchEvent(new Event(online ? 'online' : 'offline'))
  }, LOOK_MS)
}
