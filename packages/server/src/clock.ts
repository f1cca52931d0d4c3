/** Time, and how full the memory is, injected: rooms never read the machine's, so tests and simulations can hold it. */
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'

export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number
}

/** Milliseconds since the process began; it goes on whatever the clock is set to. */
export const systemElapsed = (): number => performance.now()

const MIB = 1024 * 1024

/** V8's limit is that of the old generation and three of these, of which it tells no size; MiB. */
const SEMI_SPACE = Number(
  /--max[-_]semi[-_]space[-_]size=(\d+)/.exec([...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' '))?.[1] ?? 64,
)

/** How much of the old generation that this process may have is in use, 0 to 1: when that is full the process ends. */
export function systemHeapUse(): number {
  const spaces = getHeapSpaceStatistics().filter(({ space_name: name }) => !name.startsWith('new_') && name !== 'read_only_space')
  const used = spaces.reduce((sum, { space_used_size: size }) => sum + size, 0)
  return used / (getHeapStatistics().heap_size_limit - 3 * SEMI_SPACE * MIB)
}

export const systemClock: Clock = { now: () => Date.now() }
