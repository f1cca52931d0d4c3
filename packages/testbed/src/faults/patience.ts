/** Waiting, but not for ever: a network that swallows everything gives no error. */
import { setTimeout as pause } from 'node:timers/promises'

/** How long an answer may take before the connection is given up, milliseconds. */
const PATIENCE = 10_000

/** Rejects when it takes too long, after `late` has cleaned up. */
export async function orLate<T>(promise: Promise<T>, late: () => void): Promise<T> {
  const gone = new AbortController()
  try {
    return await Promise.race([
      promise,
      pause(PATIENCE, undefined, { signal: gone.signal }).then(() => {
        late()
        throw new Error('no answer')
      }),
    ])
  } finally {
    gone.abort()
  }
}
