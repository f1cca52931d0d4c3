/**
 * One writer per device: tabs of one origin agree by Web Locks who holds the store. The browser frees a lock when its
 * holder closes it or dies, so nobody has to guess from silence whether another tab still lives.
 */

/** Waits until the lock is ours; it stays ours until the returned function is called. Rejects when `signal` aborts first. */
export function takeLock(name: string, signal?: AbortSignal): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const hold = () => new Promise<void>((release) => resolve(release))
    navigator.locks.request(name, signal ? { signal } : {}, hold).catch(reject)
  })
}

/** Waits until whoever holds the lock has let go of it. */
export async function whenReleased(name: string): Promise<void> {
  await navigator.locks.request(name, { mode: 'shared' }, () => undefined)
}
