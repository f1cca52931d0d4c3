/** Time, injected: rooms never read the machine's clock, so tests and simulations can hold it. */

export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number
}

/** Milliseconds since the process began; it goes on whatever the clock is set to. */
export const systemElapsed = (): number => performance.now()

export const systemClock: Clock = { now: () => Date.now() }
