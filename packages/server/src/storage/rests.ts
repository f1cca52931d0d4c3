/**
 * Rests between the pieces of work that nobody waits for: looking for what may be forgotten, and for what the disk has lost. On SQLite
 * a piece is done without the loop turning once, so without rests all pieces would hold up everybody as one.
 */
import type { LoopLag } from '../loop-lag.ts'

/** Milliseconds. The longer one lets such work take a hundredth of a busy server's time, and still come to an end. */
const REST = { usual: 25, busy: 250 } as const

/** Lag of the loop beyond which it has more than enough to do, milliseconds. */
const BUSY = 20

export const rest = (lag: Pick<LoopLag, 'worst'>): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, lag.worst > BUSY ? REST.busy : REST.usual))
