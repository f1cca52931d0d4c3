/** Doing the same for each of many, a thousand members' signatures for instance, without holding up the thread. */

interface Platform {
  readonly setImmediate?: (work: () => void) => unknown
}
const { setImmediate } = globalThis as Platform

/** So many verifications or encapsulations take a few milliseconds. */
const BATCH = 16

/**
 * `Promise.all` over a list. Under Node, where primitives are synchronous, the event loop gets its turn between batches;
 * elsewhere each waits for WebCrypto anyway. Fails with the first failure, and begins no further batch then.
 */
export const inBatches = async <T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> => {
  if (!setImmediate) return Promise.all(items.map(work))
  const made: R[] = []
  for (let at = 0; at < items.length; at += BATCH) {
    if (at > 0) await new Promise<void>((resolve) => setImmediate(resolve))
    made.push(...(await Promise.all(items.slice(at, at + BATCH).map(work))))
  }
  return made
}
