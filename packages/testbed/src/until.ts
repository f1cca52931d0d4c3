/** Waiting for a state instead of a time. */
import type { Live } from '@tacit/sdk'

/** Nothing in a small world takes longer, in milliseconds. */
const LONGEST = 20_000

/** Resolves with the first value that `is` what was waited for; rejects, saying what it saw last, when it never comes. */
export function until<T>(live: Live<T>, is: (value: T) => boolean): Promise<T> {
  // Made here, where it still knows who waits.
  const vain = new Error()
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      stop()
      vain.message = `waited in vain; the last was ${JSON.stringify(live.get())?.slice(0, 2000)}`
      reject(vain)
    }, LONGEST)
    const look = () => {
      const value = live.get()
      if (!is(value)) return
      clearTimeout(late)
      stop()
      resolve(value)
    }
    const stop = live.subscribe(look)
    look()
  })
}
