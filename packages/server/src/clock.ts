/** Time, injected: rooms never read the machine's clock, so tests and simulations can hold it. */

export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
