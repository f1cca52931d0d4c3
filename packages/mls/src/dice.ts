/** Chance that can be repeated: for walks, where a failing one has to be walked again. No keys are made of it. */

/** A small generator with a seed (mulberry32); each throw gives an integer from 0 up to `below`. */
export const diceOf = (seed: number): ((below: number) => number) => {
  let state = seed | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
