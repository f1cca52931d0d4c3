import type { Live, Reach } from '../api.ts'
import type { Clock } from '../surroundings.ts'

/** Resolves when the server is there, or will not be for now; at the latest after `within` milliseconds. */
export function reached(state: Live<Reach>, clock: Pick<Clock, 'after'>, within: number): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      const { kind } = state.get()
      if (kind !== 'connecting' && kind !== 'catching_up') end()
    }
    const end = (): void => {
      stopTimer()
      stop()
      resolve()
    }
    const stopTimer = clock.after(within, end)
    const stop = state.subscribe(look)
    look()
  })
}
