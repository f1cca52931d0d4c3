/** Waiting for a live value to become what a command needs. */
import type { Live } from '@tacit/sdk'

/**
 * The first thing other than undefined that `choose` finds in the value, now or later. Rejects with the signal's reason
 * when that comes first.
 */
export function until<T, U>(live: Live<T>, choose: (value: T) => U | undefined, signal: AbortSignal): Promise<U> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (signal.aborted) return leave(() => reject(signal.reason))
      const chosen = choose(live.get())
      if (chosen !== undefined) leave(() => resolve(chosen))
    }
    const leave = (settle: () => void) => {
      unsubscribe()
      signal.removeEventListener('abort', look)
      settle()
    }
    const unsubscribe = live.subscribe(look)
    signal.addEventListener('abort', look)
    look()
  })
}

/** Like `until`, but undefined when it takes longer than `patience`, milliseconds. */
export async function soon<T, U>(
  live: Live<T>,
  choose: (value: T) => U | undefined,
  { stop, patience }: { stop: AbortSignal; patience: number },
): Promise<U | undefined> {
  const late = new AbortController()
  // Not `AbortSignal.timeout`: that one lets the process end while it waits.
  const timer = setTimeout(() => late.abort(), patience)
  try {
    return await until(live, choose, AbortSignal.any([stop, late.signal]))
  } catch (error) {
    if (stop.aborted || !late.signal.aborted) throw error
    return undefined
  } finally {
    clearTimeout(timer)
  }
}
